#include "pool/random/random_hex.h"

#include <string_view>

#include "vmm/os/random.h"

namespace qm::pool {

std::string randomHex(std::size_t bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes * 2);
  for (const std::byte byte : randomBytes(bytes)) {
    const auto value = std::to_integer<unsigned>(byte);
    text += kDigits[value >> 4];
    text += kDigits[value & 15];
  }
  return text;
}

}  // namespace qm::pool
