// The host's PSHUFB with control vectors from tables: what instructions with an immediate do to whole bytes is data
// here, not an instruction of the host for each of 256 immediates.
#pragma once

#include <emmintrin.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include "vmm/hypervisor/soft/cpu/cpu.h"

namespace qm::soft {

// Byte i of the result is byte control[i] of `value`; 0 where control[i] has its high bit.
inline __m128i shuffleBytes(__m128i value, __m128i control) {
  asm("pshufb %1, %0" : "+x"(value) : "x"(control));
  return value;
}

using ByteTable = std::array<Vector, 256>;

inline __m128i at(const ByteTable& table, std::uint8_t index) {
  return _mm_load_si128(reinterpret_cast<const __m128i*>(&table[index]));
}

// Moves by so many bytes, zeros coming in: what lies `places` above (positive) or below (negative) each byte comes to
// it.
inline constexpr int kFarthest = 16;
inline __m128i bytesFrom(__m128i value, int places) {
  static constexpr auto kControls = [] {
    std::array<std::uint8_t, 3 * kFarthest> controls{};
    controls.fill(0x80);
    for (std::uint8_t i = 0; i < kFarthest; ++i) controls[kFarthest + i] = i;
    return controls;
  }();
  const std::uint8_t* const control = kControls.data() + (kFarthest + places);
  return shuffleBytes(value, _mm_loadu_si128(reinterpret_cast<const __m128i*>(control)));
}

// Each bit of the index, from the lowest, is a word of ones or zeros.
inline constexpr ByteTable kWordMasks = [] {
  ByteTable table{};
  for (std::size_t index = 0; index < table.size(); ++index) {
    for (std::size_t i = 0; i < table[index].bytes.size(); ++i)
      table[index].bytes[i] = std::byte{static_cast<std::uint8_t>((index >> (i / 2) & 1U) != 0 ? 0xff : 0)};
  }
  return table;
}();

// Such an index from one bit for each of `lanes` lanes.
template <unsigned lanes>
constexpr std::uint8_t wordsOfLanes(std::uint64_t bits) {
  constexpr unsigned kWords = 8;
  std::uint64_t words = 0;
  for (unsigned word = 0; word < kWords; ++word) words |= (bits >> word / (kWords / lanes) & 1U) << word;
  return static_cast<std::uint8_t>(words);
}

// The bytes of `b` where the mask has ones, else those of `a`.
inline __m128i select(__m128i mask, __m128i a, __m128i b) {
  return _mm_xor_si128(a, _mm_and_si128(mask, _mm_xor_si128(a, b)));
}

}  // namespace qm::soft
