#include "vmm/os/file_identity.h"

#include <sys/stat.h>

#include <cerrno>

namespace qm {

Result<FileIdentity> identityOf(const FileDescriptor& file) {
  struct stat status{};
  if (::fstat(file.get(), &status) < 0) return systemError("fstat", errno);
  return FileIdentity{.device = status.st_dev, .inode = status.st_ino};
}

}  // namespace qm
