#include "vmm/os/discard.h"

#include <sys/mman.h>

#include <cerrno>

namespace qm {

Status discard(std::span<std::byte> bytes) {
  if (bytes.empty()) return {};
  if (::madvise(bytes.data(), bytes.size(), MADV_DONTNEED) < 0) return systemError("madvise", errno);
  return {};
}

}  // namespace qm
