#include "vmm/os/random.h"

#include <sys/random.h>

#include <cerrno>

#include "vmm/result/check.h"

namespace qm {

void fillRandom(std::span<std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::getrandom(bytes.data(), bytes.size(), 0);
    CHECK(count >= 0 || errno == EINTR);
    if (count > 0) bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

std::vector<std::byte> randomBytes(std::size_t count) {
  std::vector<std::byte> bytes(count);
  fillRandom(bytes);
  return bytes;
}

}  // namespace qm
