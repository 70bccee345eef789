#include "vmm/os/file_contents.h"

#include <fcntl.h>

#include <cerrno>
#include <string>

namespace qm {

Result<std::vector<std::byte>> contentsOf(const FileDescriptor& file, std::uint64_t limit) {
  const std::uint64_t size = TRY(fileBytes(file));
  if (size > limit) {
    return Error(Remedy::fixInput, "an open file has " + std::to_string(size) + " bytes, more than the " +
                                       std::to_string(limit) + " that are taken");
  }
  std::vector<std::byte> bytes(size);
  TRY(readAt(file, 0, bytes));
  return bytes;
}

namespace {
constexpr int kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
}  // namespace

Result<FileDescriptor> sealMemfd(FileDescriptor file) {
  if (::fcntl(file.get(), F_ADD_SEALS, kSeals) < 0) return systemError("seal a memfd", errno);
  return openFile("/proc/self/fd/" + std::to_string(file.get()), OpenMode::read);
}

bool isSealed(const FileDescriptor& file) {
  const int seals = ::fcntl(file.get(), F_GET_SEALS);
  return seals >= 0 && (seals & kSeals) == kSeals;
}

void dropCache(const FileDescriptor& file) {
  static_cast<void>(::posix_fadvise(file.get(), 0, 0, POSIX_FADV_DONTNEED));
}

}  // namespace qm
