#include "vmm/os/namespaces.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

namespace qm {

namespace {

std::uint64_t flagOf(Namespace kind) {
  switch (kind) {
    case Namespace::user:
      return CLONE_NEWUSER;
    case Namespace::mount:
      return CLONE_NEWNS;
    case Namespace::pid:
      return CLONE_NEWPID;
    case Namespace::ipc:
      return CLONE_NEWIPC;
    case Namespace::uts:
      return CLONE_NEWUTS;
    case Namespace::network:
      return CLONE_NEWNET;
    case Namespace::cgroup:
      return CLONE_NEWCGROUP;
  }
  std::unreachable();
}

// proc_pid_ns(5)
const char* fileOf(Namespace kind) {
  switch (kind) {
    case Namespace::mount:
      return "mnt";
    case Namespace::network:
      return "net";
    default:
      return nameOf(kind);
  }
}

Error refused(std::string action, std::span<const Namespace> namespaces, int reason) {
  for (const Namespace kind : namespaces) action += std::string(" ") + nameOf(kind);
  Error error = systemError(action, reason);
  if (namespaces.empty()) return error;
  return {error.remedy(), error.sentence() + "; " + remedyOf(namespaces.front(), reason)};
}

std::string lineOf(std::uint32_t inside, std::uint32_t outside) {
  return std::to_string(inside) + " " + std::to_string(outside) + " 1\n";
}

}  // namespace

Result<ClonedProcess> cloneProcess(std::span<const Namespace> namespaces, const FileDescriptor* cgroup) {
  int pidfd = -1;
  clone_args arguments{};
  arguments.flags = CLONE_PIDFD | CLONE_CLEAR_SIGHAND;
  for (const Namespace kind : namespaces) arguments.flags |= flagOf(kind);
  arguments.pidfd = reinterpret_cast<std::uint64_t>(&pidfd);
  arguments.exit_signal = SIGCHLD;
  if (cgroup != nullptr) {
    arguments.flags |= CLONE_INTO_CGROUP;
    arguments.cgroup = static_cast<std::uint64_t>(cgroup->get());
  }
  const long pid = ::syscall(SYS_clone3, &arguments, sizeof arguments);
  if (pid < 0) return refused("clone3", namespaces, errno);
  if (pid == 0) return ClonedProcess{};
  return ClonedProcess{.pid = static_cast<pid_t>(pid), .pidfd = FileDescriptor(pidfd)};
}

Status moveToOwn(std::span<const Namespace> namespaces) {
  std::uint64_t flags = 0;
  for (const Namespace kind : namespaces) flags |= flagOf(kind);
  if (::unshare(static_cast<int>(flags)) < 0) return refused("unshare", namespaces, errno);
  return {};
}

Result<FileDescriptor> openOwn(Namespace kind) {
  const std::string path = std::string("/proc/self/ns/") + fileOf(kind);
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.isOpen()) return systemError(Remedy::fixInput, "open " + path, errno);
  return file;
}

Status enterNamespace(const FileDescriptor& open, Namespace kind) {
  if (::setns(open.get(), static_cast<int>(flagOf(kind))) < 0)
    return systemError(std::string("setns ") + nameOf(kind), errno);
  return {};
}

Status mapIdentity(uid_t uid, gid_t gid, uid_t outerUid, gid_t outerGid) {
  TRY(writeKernelFile("/proc/self/uid_map", lineOf(uid, outerUid)));
  // Without it an unprivileged process may not map its group: it could drop a group that denies it something.
  TRY(writeKernelFile("/proc/self/setgroups", "deny"));
  TRY(writeKernelFile("/proc/self/gid_map", lineOf(gid, outerGid)));
  return {};
}

const char* nameOf(Namespace kind) {
  switch (kind) {
    case Namespace::user:
      return "user";
    case Namespace::mount:
      return "mount";
    case Namespace::pid:
      return "pid";
    case Namespace::ipc:
      return "ipc";
    case Namespace::uts:
      return "uts";
    case Namespace::network:
      return "network";
    case Namespace::cgroup:
      return "cgroup";
  }
  std::unreachable();
}

const char* remedyOf(Namespace kind, int errnoValue) {
  switch (errnoValue) {
    case EPERM:
      if (kind != Namespace::user) return "start the spawner as root, or with CAP_SYS_ADMIN";
      return "unprivileged user namespaces are switched off here: start the spawner as root, or set "
             "kernel.unprivileged_userns_clone=1 (and kernel.apparmor_restrict_unprivileged_userns=0 where AppArmor "
             "refuses them); in a container its runtime must allow them";
    case ENOSPC:
    case EUSERS:
      return "the limit on namespaces is reached: raise user.max_*_namespaces (sysctl)";
    case EINVAL:
      return "the kernel was built without this kind of namespace (CONFIG_*_NS)";
    case ENOSYS:
      return "the kernel has no clone3 (Linux 5.3), or the container's seccomp filter hides it";
    default:
      return "see clone(2)";
  }
}

}  // namespace qm
