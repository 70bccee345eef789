#include "vmm/seccomp/install.h"

#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace qm::seccomp {

Status install(std::span<const sock_filter> filter) {
  // The kernel does not write to it.
  const sock_fprog program{.len = static_cast<unsigned short>(filter.size()),
                           .filter = const_cast<sock_filter*>(filter.data())};
  if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0U, &program) < 0) return systemError("seccomp", errno);
  return {};
}

}  // namespace qm::seccomp
