// Numbers that look random and follow from a seed alone, the same on every machine: what makes a case replayable.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace qm::differ {

// One step of SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014): a bijection, so
// that neighbouring seeds give unrelated streams.
constexpr std::uint64_t mix(std::uint64_t value) {
  value += 0x9e37'79b9'7f4a'7c15;
  value = (value ^ value >> 30U) * 0xbf58'476d'1ce4'e5b9;
  value = (value ^ value >> 27U) * 0x94d0'49bb'1331'11eb;
  return value ^ value >> 31U;
}

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(mix(seed)) {}

  std::uint64_t next() {
    state_ += 0x9e37'79b9'7f4a'7c15;
    return mix(state_);
  }
  // In [0, bound); bound above 0. The bias of the remainder is far below what a test could see.
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }
  bool oneIn(std::uint64_t n) { return below(n) == 0; }
  std::uint8_t byte() { return static_cast<std::uint8_t>(next()); }

  template <class Container>
  auto pick(const Container& from) {
    return from[below(from.size())];
  }

 private:
  std::uint64_t state_;
};

}  // namespace qm::differ
