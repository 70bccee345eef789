#include "vmm/guest/system/mounts.h"

#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace qm::guest {

namespace {

struct Mount {
  const char* type;
  const char* folder;
  unsigned long flags;
  const char* options;
};

constexpr unsigned long kNoPrograms = MS_NOSUID | MS_NODEV | MS_NOEXEC;
constexpr std::array kKernelFileSystems{
    Mount{.type = "proc", .folder = "/proc", .flags = kNoPrograms, .options = nullptr},
    Mount{.type = "sysfs", .folder = "/sys", .flags = kNoPrograms, .options = nullptr},
    Mount{.type = "devpts", .folder = "/dev/pts", .flags = MS_NOSUID | MS_NOEXEC, .options = "mode=0620,ptmxmode=0666"},
    Mount{.type = "tmpfs", .folder = "/dev/shm", .flags = MS_NOSUID | MS_NODEV, .options = "mode=1777"},
};
// Of the root in which programs run, so after it was entered.
constexpr std::array kTemporaryFileSystems{
    Mount{.type = "tmpfs", .folder = "/run", .flags = MS_NOSUID | MS_NODEV, .options = "mode=0755"},
    Mount{.type = "tmpfs", .folder = "/tmp", .flags = MS_NOSUID | MS_NODEV, .options = "mode=1777"},
};

Status makeFolder(const char* path) {
  if (::mkdir(path, 0755) < 0 && errno != EEXIST) return systemError(std::string("mkdir ") + path, errno);
  return {};
}

Status mountOne(const char* source, const Mount& mount) {
  TRY(makeFolder(mount.folder));
  if (::mount(source, mount.folder, mount.type, mount.flags, mount.options) == 0) return {};
  // Somebody (an initramfs of its own) has mounted it before us.
  if (errno == EBUSY) return {};
  return systemError(std::string("mounting ") + mount.type + " on " + mount.folder, errno);
}

Status moveMount(const char* from, const std::string& to) {
  TRY(makeFolder(to.c_str()));
  if (::mount(from, to.c_str(), nullptr, MS_MOVE, nullptr) == 0) return {};
  return systemError(std::string("moving ") + from + " to " + to, errno);
}

Status mountImage(const std::string& device, const char* folder) {
  const Mount ext4{.type = "ext4", .folder = folder, .flags = MS_RDONLY, .options = nullptr};
  const Mount erofs{.type = "erofs", .folder = folder, .flags = MS_RDONLY, .options = nullptr};
  auto mounted = mountOne(device.c_str(), ext4);
  if (mounted.has_value()) return mounted;
  if (mountOne(device.c_str(), erofs).has_value()) return {};
  return mounted;
}

// switch_root: "/" itself cannot be moved away, so the other root is moved over it.
Status becomeRoot(const char* folder) {
  if (::chdir(folder) < 0 || ::mount(".", "/", nullptr, MS_MOVE, nullptr) < 0 || ::chroot(".") < 0 ||
      ::chdir("/") < 0) {
    return systemError(std::string("making ") + folder + " the root", errno);
  }
  return {};
}

}  // namespace

Status mountDevices() {
  return mountOne("devtmpfs", {.type = "devtmpfs", .folder = "/dev", .flags = MS_NOSUID, .options = "mode=0755"});
}

Status mountKernelFileSystems() {
  for (const Mount& mount : kKernelFileSystems) TRY(mountOne(mount.type, mount));
  for (const Mount& mount : kTemporaryFileSystems) TRY(mountOne(mount.type, mount));
  return {};
}

Status enterOverlay(const std::string& device) {
  TRY(makeFolder("/overlay"));
  TRY(mountImage(device, "/overlay/image"));
  TRY(mountOne("tmpfs", {.type = "tmpfs", .folder = "/overlay/layer", .flags = 0, .options = "mode=0755"}));
  TRY(makeFolder("/overlay/layer/upper"));
  TRY(makeFolder("/overlay/layer/work"));
  TRY(mountOne("overlay",
               {.type = "overlay",
                .folder = "/overlay/root",
                .flags = 0,
                .options = "lowerdir=/overlay/image,upperdir=/overlay/layer/upper,workdir=/overlay/layer/work"}));
  for (const char* folder : {"/dev", "/proc", "/sys"}) TRY(moveMount(folder, std::string("/overlay/root") + folder));
  TRY(becomeRoot("/overlay/root"));
  for (const Mount& mount : kTemporaryFileSystems) TRY(mountOne(mount.type, mount));
  return {};
}

std::string kernelParameter(std::string_view commandLine, std::string_view name) {
  std::string value;
  while (!commandLine.empty()) {
    const std::size_t end = commandLine.find_first_of(" \n");
    const std::string_view word = commandLine.substr(0, end);
    if (word.size() > name.size() && word.starts_with(name) && word[name.size()] == '=')
      value = word.substr(name.size() + 1);
    commandLine.remove_prefix(end == std::string_view::npos ? commandLine.size() : end + 1);
  }
  return value;
}

}  // namespace qm::guest
