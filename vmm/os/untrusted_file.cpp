#include "vmm/os/untrusted_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace qm {

namespace {

constexpr mode_t kReadableByAll = 0444;

Status makeOurs(const FileDescriptor& file, const std::filesystem::path& path) {
  struct stat facts{};
  if (::fstat(file.get(), &facts) < 0) return systemError("stat " + path.string(), errno);
  // Only an owner without privileges would fail here, and that one owns it already.
  if (facts.st_uid != ::geteuid() && ::fchown(file.get(), ::geteuid(), ::getegid()) < 0) {
    return systemError("chown " + path.string(), errno);
  }
  if (::fchmod(file.get(), kReadableByAll) < 0) return systemError("chmod " + path.string(), errno);
  return {};
}

Status adoptMoved(const std::filesystem::path& path) {
  const FileDescriptor file = TRY(openUntrusted(path));
  return makeOurs(file, path);
}

}  // namespace

Result<FileDescriptor> openUntrusted(const std::filesystem::path& path) {
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
  if (!file.isOpen()) return systemError(Remedy::giveUp, "open " + path.string(), errno);
  struct stat facts{};
  if (::fstat(file.get(), &facts) < 0) return systemError("stat " + path.string(), errno);
  if (!S_ISREG(facts.st_mode) || facts.st_nlink != 1) {
    return Error(Remedy::giveUp, path.string() + " is no plain file of one name");
  }
  return file;
}

Status adoptFile(const std::filesystem::path& from, const std::filesystem::path& to) {
  // Moved first: rename(2) follows no link, and what is looked at afterwards nobody else can exchange.
  if (::rename(from.c_str(), to.c_str()) < 0) {
    return systemError(Remedy::giveUp, "rename " + from.string() + " to " + to.string(), errno);
  }
  Status adopted = adoptMoved(to);
  if (!adopted.has_value()) {
    std::error_code ignored;
    std::filesystem::remove(to, ignored);
  }
  return adopted;
}

}  // namespace qm
