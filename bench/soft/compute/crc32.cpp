// CRC-32 of IEEE 802.3, reflected, polynomial 0x04c11db7, by a table of 256 words: 16 MiB, four times over.
#include <array>
#include <cstddef>
#include <vector>

#include "bench/soft/compute/random.h"
#include "bench/soft/compute/work.h"

namespace qm::compute {

namespace {

constexpr std::size_t kBytes = std::size_t{16} << 20U;
constexpr int kPasses = 4;

constexpr std::array<std::uint32_t, 256> makeTable() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < table.size(); ++byte) {
    std::uint32_t value = byte;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1U) ^ ((value & 1U) != 0 ? 0xedb8'8320U : 0U);
    table[byte] = value;
  }
  return table;
}
constexpr std::array<std::uint32_t, 256> kTable = makeTable();

class Crc32 final : public Work {
 public:
  Crc32() {
    Random random;
    for (std::uint8_t& byte : bytes_) byte = static_cast<std::uint8_t>(random.next());
  }

  std::uint64_t run() override {
    std::uint32_t value = 0xffff'ffff;
    for (int pass = 0; pass < kPasses; ++pass) {
      for (const std::uint8_t byte : bytes_) value = (value >> 8U) ^ kTable[(value ^ byte) & 0xffU];
    }
    return ~value;
  }

 private:
  std::vector<std::uint8_t> bytes_ = std::vector<std::uint8_t>(kBytes);
};

}  // namespace

std::unique_ptr<Work> crc32() {
  return std::make_unique<Crc32>();
}

}  // namespace qm::compute
