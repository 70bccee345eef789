// The 256 bits of IRR, ISR and TMR (SDM 3A, 11.8.4), one for each vector.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace qm::soft {

class VectorSet {
 public:
  bool has(std::uint8_t vector) const { return (words_[vector / 64U] & bit(vector)) != 0; }
  void add(std::uint8_t vector) { words_[vector / 64U] |= bit(vector); }
  void remove(std::uint8_t vector) { words_[vector / 64U] &= ~bit(vector); }
  std::optional<std::uint8_t> highest() const {
    for (std::size_t i = words_.size(); i-- > 0;) {
      if (words_[i] != 0)
        return static_cast<std::uint8_t>(i * 64 + 63 - static_cast<unsigned>(std::countl_zero(words_[i])));
    }
    return std::nullopt;
  }

  // As the guest sees it: register 0-7 holds vectors 32 * register on.
  std::uint32_t part(std::size_t index) const {
    return static_cast<std::uint32_t>(words_[index / 2] >> (index % 2 * 32));
  }
  void setPart(std::size_t index, std::uint32_t value) {
    const std::uint64_t shift = index % 2 * 32;
    words_[index / 2] = (words_[index / 2] & ~(std::uint64_t{0xffff'ffff} << shift)) | std::uint64_t{value} << shift;
  }

  bool operator==(const VectorSet&) const = default;

 private:
  static std::uint64_t bit(std::uint8_t vector) { return std::uint64_t{1} << (vector % 64U); }

  std::array<std::uint64_t, 4> words_{};
};

}  // namespace qm::soft
