// A program for tests of the spawner. Its first argument says what it does:
//   see       writes what it sees of the world to standard output, one name=value a line, and exits with 0
//   exit N    exits with N
//   wait      waits until it is killed
#include <dirent.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <net/if.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

void tell(const char* name, const std::string& value) {
  (void)std::printf("%s=%s\n", name, value.c_str());
}

void tell(const char* name, long value) {
  tell(name, std::to_string(value));
}

std::vector<std::string> entriesOf(const std::string& folder) {
  std::vector<std::string> names;
  DIR* open = ::opendir(folder.empty() ? "/" : folder.c_str());
  if (open == nullptr) return names;
  while (const dirent* entry = ::readdir(open)) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  ::closedir(open);
  std::sort(names.begin(), names.end());
  return names;
}

std::string isOpenForWriting(const char* path, int flags) {
  const int file = ::open(path, O_WRONLY | O_CLOEXEC | flags, 0666);
  if (file < 0) return std::strerror(errno);
  ::close(file);
  return "yes";
}

std::string treeBelow(const std::string& folder, int levels) {
  std::string tree;
  for (const std::string& name : entriesOf(folder)) {
    const std::string path = std::string(folder).append("/").append(name);
    tree.append(" ").append(path);
    if (levels > 1) tree += treeBelow(path, levels - 1);
  }
  return tree;
}

std::string openDescriptors() {
  std::string open;
  for (int number = 0; number < 1024; ++number) {
    if (::fcntl(number, F_GETFD) >= 0) open += " " + std::to_string(number);
  }
  return open;
}

std::string interfaces() {
  std::string names;
  struct if_nameindex* all = ::if_nameindex();
  for (const auto* each = all; each != nullptr && each->if_index != 0; ++each)
    names += std::string(" ") + each->if_name;
  ::if_freenameindex(all);
  return names;
}

long capabilities() {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, 2> words{};
  if (::syscall(SYS_capget, &header, words.data()) < 0) return -1;
  long all = 0;
  for (const auto& word : words) all |= word.effective | word.permitted | word.inheritable;
  return all;
}

// How many capabilities a program could still be given.
long boundingCapabilities() {
  long count = 0;
  for (unsigned long capability = 0;; ++capability) {
    const int isThere = ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0);
    if (isThere < 0) return count;
    count += isThere;
  }
}

long modeOf(const char* path) {
  struct stat status{};
  return ::stat(path, &status) < 0 ? -1 : static_cast<long>(status.st_mode & 0777);
}

int see() {
  std::array<char, 4096> folder{};
  const bool isHost = !entriesOf("/proc").empty();
  tell("sees_processes", isHost ? 1 : 0);
  // A jail is three levels deep; a host's tree would take long.
  tell("tree", isHost ? "" : treeBelow("", 3));
  tell("folder", ::getcwd(folder.data(), folder.size()) == nullptr ? "?" : folder.data());
  tell("pid", ::getpid());
  tell("parent", ::getppid());
  tell("uid", static_cast<long>(::getuid()));
  tell("gid", static_cast<long>(::getgid()));
  tell("groups", ::getgroups(0, nullptr));
  tell("leads_session", ::getsid(0) == ::getpid() ? 1 : 0);
  tell("capabilities", capabilities());
  tell("bounding_capabilities", boundingCapabilities());
  tell("no_new_privs", ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
  tell("descriptors", openDescriptors());
  tell("interfaces", interfaces());
  tell("environment", ::environ == nullptr || *::environ == nullptr ? 0 : 1);
  tell("writes_own", isOpenForWriting("made", O_CREAT | O_EXCL));
  tell("made_mode", modeOf("made"));
  tell("writes_image", isOpenForWriting("/image", 0));
  tell("writes_root", isOpenForWriting("/new", O_CREAT));
  tell("opens_kvm", isOpenForWriting("/dev/kvm", 0));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "see") return see();
  if (what == "exit" && argc > 2) return std::atoi(argv[2]);
  while (what == "wait") ::pause();
  return 99;
}
