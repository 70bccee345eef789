// What stands in a VMM's place once a guest has taken it over, without the VMM's own filters: it tries to get out of
// its jail, and tells what came of each try. Its first argument says what it does:
//   try FOLDER SOCKET PID PORT   tries everything that leaves it alive; the host's names and numbers to try it on. One
//                                name=outcome a line on standard output: the kernel's word, or "done"
//   fill memory|file|processes|processors   takes as much of it as there is, telling how far it came, until it is
//   killed fill memory-by-another       has a process of its own do that, tells of its end, and waits to be killed
//   listen                       listens on an abstract socket, says so, and waits to be killed
#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

constexpr int kSealedMemory = 5;  // what a template's memory is to its clones
const std::string kNeighbour("\0quickmatch-neighbour", 21);
const std::string kHost("\0quickmatch-host", 16);

// A call's value: below 0 it was refused, and errno says why.
void tell(const char* name, long value) {
  std::printf("%s=%s\n", name, value < 0 ? std::strerror(errno) : "done");
}

void tellNumber(const char* name, long value) {
  std::printf("%s=%ld\n", name, value);
}

long opened(const std::string& path, int flags) {
  return ::open(path.c_str(), flags | O_CLOEXEC, 0600);
}

long connectedUnix(const std::string& name) {
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  std::memcpy(address.sun_path, name.data(), std::min(name.size(), sizeof address.sun_path));
  const int file = ::socket(AF_UNIX, SOCK_STREAM, 0);
  if (file < 0) return -1;
  return ::connect(file, reinterpret_cast<const sockaddr*>(&address),
                   static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size()));
}

long connectedTcp(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int file = ::socket(AF_INET, SOCK_STREAM, 0);
  if (file < 0) return -1;
  return ::connect(file, reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

void tryFiles(const std::string& folder) {
  tell("opens_the_neighbours_folder", opened(folder, O_RDONLY | O_DIRECTORY));
  tell("opens_it_by_climbing", opened("../" + folder, O_RDONLY | O_DIRECTORY));
  tell("opens_proc", opened("/proc/1/mem", O_RDWR));
  tell("writes_the_template", opened("/template/memory", O_WRONLY));
  tell("truncates_the_template", ::truncate("/template/memory", 0));
  tell("removes_the_template", ::unlink("/template/memory"));
  tell("writes_the_root", opened("/new", O_WRONLY | O_CREAT));
  tell("makes_a_link", ::symlink("/etc/shadow", "link"));
  tell("makes_a_device", ::mknod("device", S_IFBLK | 0600, 0));
  tell("makes_a_pipe", ::mkfifo("pipe", 0600));
  tell("makes_a_file", opened("file", O_WRONLY | O_CREAT));
  tell("makes_a_nameless_file", opened(".", O_WRONLY | O_TMPFILE));
  tell("makes_a_folder", ::mkdir("folder", 0700));
}

void trySealedMemory() {
  const char byte = 'x';
  tell("writes_the_memory", ::pwrite(kSealedMemory, &byte, 1, 0));
  tell("truncates_the_memory", ::ftruncate(kSealedMemory, 0));
  void* const shared = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, kSealedMemory, 0);
  tell("maps_the_memory_shared", shared == MAP_FAILED ? -1 : 0);
  tell("unseals_the_memory", ::fcntl(kSealedMemory, F_ADD_SEALS, 0));
}

void tryOthers(const std::string& socket, pid_t pid, int port) {
  tell("connects_to_the_daemon", connectedUnix(socket));
  tell("connects_to_the_hosts_abstract_socket", connectedUnix(kHost));
  tell("connects_to_the_neighbours_abstract_socket", connectedUnix(kNeighbour));
  tell("connects_to_the_host", connectedTcp(port));
  tell("kills_the_host", ::kill(pid, SIGTERM));
  tell("traces_another", ::ptrace(PTRACE_ATTACH, pid, nullptr, nullptr));
  tell("makes_shared_memory", ::syscall(SYS_shmget, 42, 4096, 0600 | 01000));
  tell("makes_a_key", ::syscall(SYS_add_key, "user", "name", "value", 5, -3));
}

void tryPrivileges() {
  tell("becomes_root", ::setuid(0));
  tell("becomes_the_next_user", ::setuid(::getuid() + 1));
  tell("mounts", ::mount("none", "/vm", "tmpfs", 0, nullptr));
  tell("makes_a_user_namespace", ::syscall(SYS_unshare, 0x1000'0000));
  tell("changes_root", ::chroot("/vm"));
  tell("loads_bpf", ::syscall(SYS_bpf, 0, nullptr, 0));
  tell("makes_a_uring", ::syscall(SYS_io_uring_setup, 1, nullptr));
  tell("traces_the_kernel", ::syscall(SYS_perf_event_open, nullptr, 0, -1, -1, 0));
  tellNumber("core_bytes", [] {
    rlimit limit{};
    ::getrlimit(RLIMIT_CORE, &limit);
    return static_cast<long>(limit.rlim_max);
  }());
}

// Each until the kernel refuses.
void tryToFill() {
  long processes = 0;
  for (; processes < 5000; ++processes) {
    const pid_t child = ::fork();
    if (child == 0) {
      for (;;) ::pause();
    }
    if (child < 0) break;
  }
  const int reason = errno;
  ::kill(-1, SIGKILL);  // all but itself
  tellNumber("processes", processes);
  std::printf("more_processes=%s\n", std::strerror(reason));
  long files = 0;
  while (files < 100'000 && ::dup(0) >= 0) ++files;
  tellNumber("files", files);
  for (int file = 6; file < files + 8; ++file) ::close(file);
  ::signal(SIGXFSZ, SIG_IGN);
  tell("makes_its_log_large", ::ftruncate(1, off_t{1} << 30));
  tell("locks_memory", ::mlockall(MCL_CURRENT | MCL_FUTURE));
}

// A mebibyte at a time, each touched before it is told.
[[noreturn]] void fillMemory(int file) {
  constexpr std::size_t kStep = std::size_t{1} << 20U;
  constexpr off_t kMost = 1024;
  for (off_t step = 0; step < kMost; ++step) {
    if (file >= 0 && ::ftruncate(file, (step + 1) * off_t{kStep}) < 0) ::_exit(1);
    void* const piece =
        ::mmap(nullptr, kStep, PROT_READ | PROT_WRITE, file < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED, file,
               file < 0 ? 0 : step * off_t{kStep});
    if (piece == MAP_FAILED) ::_exit(2);
    std::memset(piece, 1, kStep);
    tellNumber("mebibytes", step + 1);
    std::fflush(stdout);
  }
  ::_exit(3);
}

[[noreturn]] void fillMemoryByAnother() {
  const pid_t child = ::fork();
  if (child == 0) fillMemory(-1);
  int how = 0;
  ::waitpid(child, &how, 0);
  tellNumber("others_end", how);
  std::fflush(stdout);
  for (;;) ::pause();
}

[[noreturn]] void fillProcesses() {
  long processes = 0;
  for (;; ++processes) {
    const pid_t child = ::fork();
    if (child == 0) {
      for (;;) ::pause();
    }
    if (child < 0) break;
  }
  std::printf("more_processes=%s\n", std::strerror(errno));
  tellNumber("processes", processes);
  std::fflush(stdout);
  for (;;) ::pause();
}

[[noreturn]] void fillProcessors() {
  for (int i = 0; i < 4; ++i) {
    if (::fork() == 0) break;
  }
  for (volatile unsigned long turns = 0;; turns = turns + 1) {
  }
}

[[noreturn]] void fill(const std::string& what) {
  if (what == "memory") fillMemory(-1);
  if (what == "file") fillMemory(static_cast<int>(::syscall(SYS_memfd_create, "fill", 0)));
  if (what == "memory-by-another") fillMemoryByAnother();
  if (what == "processes") fillProcesses();
  fillProcessors();
}

int listen() {
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  std::memcpy(address.sun_path, kNeighbour.data(), kNeighbour.size());
  const int file = ::socket(AF_UNIX, SOCK_STREAM, 0);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + kNeighbour.size());
  const bool listens =
      file >= 0 && ::bind(file, reinterpret_cast<const sockaddr*>(&address), size) == 0 && ::listen(file, 1) == 0;
  tell("listens", listens ? 0 : -1);
  std::fflush(stdout);
  for (;;) ::pause();
}

}  // namespace

int main(int count, char** words) {
  if (count == 2 && std::string(words[1]) == "listen") return listen();
  if (count == 3 && std::string(words[1]) == "fill") fill(words[2]);
  if (count != 6) return 99;
  tryFiles(words[2]);
  trySealedMemory();
  tryOthers(words[3], std::atoi(words[4]), std::atoi(words[5]));
  tryPrivileges();
  tryToFill();
  return std::fflush(stdout);
}
