// SHA-256 (FIPS 180-4) of 32 MiB, four times the same 8, by its definition.
#include <array>
#include <bit>
#include <span>
#include <vector>

#include "bench/soft/compute/random.h"
#include "bench/soft/compute/work.h"

namespace qm::compute {

namespace {

constexpr std::size_t kBytes = std::size_t{8} << 20U;
constexpr std::uint64_t kPasses = 4;
constexpr std::size_t kBlockBytes = 64;

// Section 4.2.2.
constexpr std::array<std::uint32_t, 64> kConstants{
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

using State = std::array<std::uint32_t, 8>;
using Block = std::span<const std::uint8_t, kBlockBytes>;

// Section 6.2.2, step 1.
std::array<std::uint32_t, 64> schedule(Block block) {
  std::array<std::uint32_t, 64> words{};
  for (std::size_t t = 0; t < 16; ++t) {
    for (std::size_t byte = 0; byte < 4; ++byte) words[t] = words[t] << 8U | block[4 * t + byte];
  }
  for (std::size_t t = 16; t < words.size(); ++t) {
    const std::uint32_t low = words[t - 15], high = words[t - 2];
    words[t] = words[t - 16] + (std::rotr(low, 7) ^ std::rotr(low, 18) ^ low >> 3U) + words[t - 7] +
               (std::rotr(high, 17) ^ std::rotr(high, 19) ^ high >> 10U);
  }
  return words;
}

// Steps 2 to 4.
void compress(State& state, Block block) {
  const std::array<std::uint32_t, 64> words = schedule(block);
  auto [a, b, c, d, e, f, g, h] = state;
  for (std::size_t t = 0; t < words.size(); ++t) {
    const std::uint32_t first =
        h + (std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25)) + ((e & f) ^ (~e & g)) + kConstants[t] + words[t];
    const std::uint32_t second =
        (std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    h = g;
    g = f;
    f = e;
    e = d + first;
    d = c;
    c = b;
    b = a;
    a = first + second;
  }
  const State mixed{a, b, c, d, e, f, g, h};
  for (std::size_t i = 0; i < state.size(); ++i) state[i] += mixed[i];
}

class Sha256 final : public Work {
 public:
  Sha256() {
    Random random;
    for (std::uint8_t& byte : bytes_) byte = static_cast<std::uint8_t>(random.next());
    // Section 5.1.1: the message ends on a block, so the padding is a block of its own.
    padding_[0] = 0x80;
    for (std::size_t i = 0; i < 8; ++i)
      padding_[kBlockBytes - 1 - i] = static_cast<std::uint8_t>(kPasses * kBytes * 8 >> 8 * i);
  }

  std::uint64_t run() override {
    // Section 5.3.3.
    State state{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    const std::span<const std::uint8_t> bytes(bytes_);
    for (std::uint64_t pass = 0; pass < kPasses; ++pass) {
      for (std::size_t at = 0; at < kBytes; at += kBlockBytes) compress(state, bytes.subspan(at).first<kBlockBytes>());
    }
    compress(state, padding_);
    return std::uint64_t{state[0]} << 32U | state[1];
  }

 private:
  std::vector<std::uint8_t> bytes_ = std::vector<std::uint8_t>(kBytes);
  std::array<std::uint8_t, kBlockBytes> padding_{};
};

}  // namespace

std::unique_ptr<Work> sha256() {
  return std::make_unique<Sha256>();
}

}  // namespace qm::compute
