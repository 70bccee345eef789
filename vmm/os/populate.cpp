#include "vmm/os/populate.h"

#include <sys/mman.h>

#include <cerrno>

namespace qm {

Status populate(std::span<std::byte> bytes, Populate how) {
  const int advice = how == Populate::forReading ? MADV_POPULATE_READ : MADV_POPULATE_WRITE;
  if (::madvise(bytes.data(), bytes.size(), advice) < 0) return systemError("madvise", errno);
  return {};
}

}  // namespace qm
