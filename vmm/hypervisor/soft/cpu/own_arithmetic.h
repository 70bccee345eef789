// While operations run, the host's MXCSR is the guest's: its rounding, and its flags, which collect there. What of the
// CPU itself computes with floating point meanwhile (a hash table's load factor does) has one of these around it.
#pragma once

#include <xmmintrin.h>

#include <cstdint>

namespace qm::soft {

class OwnArithmetic {
 public:
  OwnArithmetic() : guests_(_mm_getcsr()) { _mm_setcsr(kAtStart); }
  ~OwnArithmetic() { _mm_setcsr(guests_); }
  OwnArithmetic(const OwnArithmetic&) = delete;
  OwnArithmetic& operator=(const OwnArithmetic&) = delete;

 private:
  static constexpr std::uint32_t kAtStart = 0x1f80;  // of a process
  std::uint32_t guests_;
};

}  // namespace qm::soft
