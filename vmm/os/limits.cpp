#include "vmm/os/limits.h"

#include <sys/resource.h>

#include <cerrno>

namespace qm {

namespace {

Status limit(__rlimit_resource resource, const std::optional<std::uint64_t>& most, const char* name) {
  if (!most) return {};
  const rlimit both{.rlim_cur = *most, .rlim_max = *most};
  if (::setrlimit(resource, &both) < 0) return systemError(name, errno);
  return {};
}

}  // namespace

Status limitThis(const ProcessLimits& limits) {
  TRY(limit(RLIMIT_NOFILE, limits.openFiles, "RLIMIT_NOFILE"));
  TRY(limit(RLIMIT_FSIZE, limits.fileBytes, "RLIMIT_FSIZE"));
  TRY(limit(RLIMIT_NPROC, limits.processes, "RLIMIT_NPROC"));
  TRY(limit(RLIMIT_MEMLOCK, limits.lockedBytes, "RLIMIT_MEMLOCK"));
  return limit(RLIMIT_CORE, limits.coreBytes, "RLIMIT_CORE");
}

}  // namespace qm
