// vCPUs by index, 0 to 255.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace qm::soft {

class CpuSet {
 public:
  void add(std::uint32_t index) { words_[index / 64] |= std::uint64_t{1} << (index % 64); }
  template <class Visit>
  void forEach(Visit visit) const {
    for (std::size_t i = 0; i < words_.size(); ++i) {
      for (std::uint64_t rest = words_[i]; rest != 0; rest &= rest - 1) {
        visit(i * 64 + static_cast<std::size_t>(std::countr_zero(rest)));
      }
    }
  }

 private:
  std::array<std::uint64_t, 4> words_{};
};

}  // namespace qm::soft
