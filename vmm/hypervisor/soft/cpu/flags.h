// The six status flags, as the guest's instructions leave them: in the shape in which the host's own `lahf` and `seto`
// give them, so that an operation of the guest is the same operation of the host and its flags cost two instructions.
// Bits that the manual leaves undefined come out as this host's CPU makes them.
//
//   bit 15 SF  14 ZF  12 AF  10 PF  8 CF  0 OF      every other bit: anything
#pragma once

#include <cstdint>

namespace qm::soft {

using Flags = std::uint64_t;

inline constexpr Flags kOverflow = 1U << 0U, kCarry = 1U << 8U, kParity = 1U << 10U, kAdjust = 1U << 12U,
                       kZero = 1U << 14U, kSign = 1U << 15U;
inline constexpr Flags kStatusFlags = kOverflow | kCarry | kParity | kAdjust | kZero | kSign;

// RFLAGS (SDM 1, 3.4.3).
namespace rflags {
inline constexpr std::uint64_t kCf = 1U << 0U, kFixed = 1U << 1U, kPf = 1U << 2U, kAf = 1U << 4U, kZf = 1U << 6U,
                               kSf = 1U << 7U, kTf = 1U << 8U, kIf = 1U << 9U, kDf = 1U << 10U, kOf = 1U << 11U,
                               kIopl = 3U << 12U, kNt = 1U << 14U, kRf = 1U << 16U, kVm = 1U << 17U, kAc = 1U << 18U,
                               kVif = 1U << 19U, kVip = 1U << 20U, kId = 1U << 21U;
inline constexpr std::uint64_t kStatus = kCf | kPf | kAf | kZf | kSf | kOf;
}  // namespace rflags

constexpr std::uint64_t statusToRflags(Flags flags) {
  constexpr Flags kLow = 0xd5;  // SF ZF AF PF CF of the low byte
  return (flags >> 8U & kLow) | (flags & kOverflow) << 11U;
}

constexpr Flags statusFromRflags(std::uint64_t value) {
  constexpr std::uint64_t kLow = 0xd5;
  return (value & kLow) << 8U | (value >> 11U & 1U);
}

// The sixteen conditions of jcc, setcc and cmovcc, by the low four bits of their opcodes (SDM 1, appendix B).
enum class Condition : std::uint8_t { o, no, b, nb, z, nz, be, nbe, s, ns, p, np, l, nl, le, nle };

template <Condition condition>
constexpr bool holds(Flags flags) {
  using enum Condition;
  constexpr auto kPositive = static_cast<Condition>(static_cast<std::uint8_t>(condition) & 0xeU);
  bool is = false;
  if constexpr (kPositive == o) is = (flags & kOverflow) != 0;
  if constexpr (kPositive == b) is = (flags & kCarry) != 0;
  if constexpr (kPositive == z) is = (flags & kZero) != 0;
  if constexpr (kPositive == be) is = (flags & (kCarry | kZero)) != 0;
  if constexpr (kPositive == s) is = (flags & kSign) != 0;
  if constexpr (kPositive == p) is = (flags & kParity) != 0;
  if constexpr (kPositive == l) is = ((flags >> 15U ^ flags) & 1U) != 0;
  if constexpr (kPositive == le) is = ((flags >> 15U ^ flags) & 1U) != 0 || (flags & kZero) != 0;
  return kPositive == condition ? is : !is;
}

}  // namespace qm::soft
