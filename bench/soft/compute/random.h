// The same numbers on every machine: xorshift64 (G. Marsaglia, "Xorshift RNGs", 2003, 13-7-17).
#pragma once

#include <cstdint>

namespace qm::compute {

class Random {
 public:
  std::uint64_t next() {
    state_ ^= state_ << 13U;
    state_ ^= state_ >> 7U;
    state_ ^= state_ << 17U;
    return state_;
  }

 private:
  std::uint64_t state_ = 0x2545'f491'4f6c'dd1d;
};

}  // namespace qm::compute
