#include "vmm/os/landlock.h"

#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>

namespace qm {

namespace {

// landlock_ruleset_attr as of version 6; the headers that we compile with may be older.
struct RulesetAttributes {
  std::uint64_t handledFileAccess = 0;
  std::uint64_t handledNetAccess = 0;
  std::uint64_t scoped = 0;
};
constexpr std::uint64_t kScopeAbstractSockets = 1U << 0U;
constexpr std::uint64_t kScopeSignals = 1U << 1U;
constexpr std::uint64_t kFileDenials = LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
                                       LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_MAKE_FIFO;
constexpr std::uint64_t kNewFileDenials = LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR;

}  // namespace

int landlockVersion() {
  const long version = ::syscall(SYS_landlock_create_ruleset, nullptr, std::size_t{0}, LANDLOCK_CREATE_RULESET_VERSION);
  return version < 0 ? 0 : static_cast<int>(version);
}

Result<FileDescriptor> jailDenials(NewFiles newFiles) {
  const bool hasScopes = landlockVersion() >= kLandlockScopes;
  const RulesetAttributes attributes{
      .handledFileAccess = kFileDenials | (newFiles == NewFiles::denied ? kNewFileDenials : 0),
      .scoped = hasScopes ? kScopeAbstractSockets | kScopeSignals : 0};
  // An older kernel knows a shorter struct.
  const std::size_t bytes = hasScopes ? sizeof attributes : sizeof attributes.handledFileAccess;
  FileDescriptor denials(static_cast<int>(::syscall(SYS_landlock_create_ruleset, &attributes, bytes, 0U)));
  if (!denials.isOpen()) return systemError("landlock_create_ruleset", errno);
  return denials;
}

Status restrictBy(const FileDescriptor& denials) {
  if (::syscall(SYS_landlock_restrict_self, denials.get(), 0U) < 0) return systemError("landlock_restrict_self", errno);
  return {};
}

}  // namespace qm
