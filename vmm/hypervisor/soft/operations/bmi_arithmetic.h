// The arithmetic of BMI1 and BMI2: one struct an instruction. `value` is the operand that may be in memory, `other` the
// second source (a register, an immediate, or none). Those that set flags are the host's own instruction with `lahf`
// and `seto` (flags.h).
#pragma once

#include <bit>
#include <cstdint>
#include <type_traits>

#include "vmm/hypervisor/soft/cpu/flags.h"

namespace qm::soft {

// Which host CPUs can do it; others have no such guests (the instruction is #UD there).
enum class HostFeature : std::uint8_t { any, bmi1, bmi2 };

// Where the operand is that may be in memory: the instruction's second or third.
enum class ValueAt : std::uint8_t { second, third };

struct AndNot {
  static constexpr HostFeature kNeeds = HostFeature::bmi1;
  static constexpr ValueAt kValueAt = ValueAt::third;
  template <class T>
  static T apply(T value, T other, Flags& flags) {
    T result;
    std::uint32_t after;
    asm("andn %[value], %[other], %[result]\n\tlahf\n\tseto %%al"
        : [result] "=&r"(result), "=&a"(after)
        : [value] "r"(value), [other] "r"(other)
        : "cc");
    flags = after;
    return result;
  }
};

struct ExtractField {
  static constexpr HostFeature kNeeds = HostFeature::bmi1;
  static constexpr ValueAt kValueAt = ValueAt::second;
  template <class T>
  static T apply(T value, T other, Flags& flags) {
    T result;
    std::uint32_t after;
    asm("bextr %[other], %[value], %[result]\n\tlahf\n\tseto %%al"
        : [result] "=&r"(result), "=&a"(after)
        : [value] "r"(value), [other] "r"(other)
        : "cc");
    flags = after;
    return result;
  }
};

struct IsolateLowestBit {
  static constexpr HostFeature kNeeds = HostFeature::bmi1;
  static constexpr ValueAt kValueAt = ValueAt::second;
  template <class T>
  static T apply(T value, T /*other*/, Flags& flags) {
    T result;
    std::uint32_t after;
    asm("blsi %[value], %[result]\n\tlahf\n\tseto %%al"
        : [result] "=&r"(result), "=&a"(after)
        : [value] "r"(value)
        : "cc");
    flags = after;
    return result;
  }
};

struct MaskToLowestBit {
  static constexpr HostFeature kNeeds = HostFeature::bmi1;
  static constexpr ValueAt kValueAt = ValueAt::second;
  template <class T>
  static T apply(T value, T /*other*/, Flags& flags) {
    T result;
    std::uint32_t after;
    asm("blsmsk %[value], %[result]\n\tlahf\n\tseto %%al"
        : [result] "=&r"(result), "=&a"(after)
        : [value] "r"(value)
        : "cc");
    flags = after;
    return result;
  }
};

struct ResetLowestBit {
  static constexpr HostFeature kNeeds = HostFeature::bmi1;
  static constexpr ValueAt kValueAt = ValueAt::second;
  template <class T>
  static T apply(T value, T /*other*/, Flags& flags) {
    T result;
    std::uint32_t after;
    asm("blsr %[value], %[result]\n\tlahf\n\tseto %%al"
        : [result] "=&r"(result), "=&a"(after)
        : [value] "r"(value)
        : "cc");
    flags = after;
    return result;
  }
};

struct ZeroHighBits {
  static constexpr HostFeature kNeeds = HostFeature::bmi2;
  static constexpr ValueAt kValueAt = ValueAt::second;
  template <class T>
  static T apply(T value, T other, Flags& flags) {
    T result;
    std::uint32_t after;
    asm("bzhi %[other], %[value], %[result]\n\tlahf\n\tseto %%al"
        : [result] "=&r"(result), "=&a"(after)
        : [value] "r"(value), [other] "r"(other)
        : "cc");
    flags = after;
    return result;
  }
};

// ---- no flags from here on

struct DepositBits {
  static constexpr HostFeature kNeeds = HostFeature::bmi2;
  static constexpr ValueAt kValueAt = ValueAt::third;  // the mask
  template <class T>
  static T apply(T value, T other, Flags& /*flags*/) {
    T result;
    asm("pdep %[value], %[other], %[result]" : [result] "=r"(result) : [value] "r"(value), [other] "r"(other));
    return result;
  }
};

struct ExtractBits {
  static constexpr HostFeature kNeeds = HostFeature::bmi2;
  static constexpr ValueAt kValueAt = ValueAt::third;  // the mask
  template <class T>
  static T apply(T value, T other, Flags& /*flags*/) {
    T result;
    asm("pext %[value], %[other], %[result]" : [result] "=r"(result) : [value] "r"(value), [other] "r"(other));
    return result;
  }
};

template <class T>
constexpr T kShiftMask = sizeof(T) * 8 - 1;

struct RotateRightQuietly {
  static constexpr HostFeature kNeeds = HostFeature::any;
  static constexpr ValueAt kValueAt = ValueAt::second;
  template <class T>
  static T apply(T value, T other, Flags& /*flags*/) {
    return std::rotr(value, static_cast<int>(other & kShiftMask<T>));
  }
};

struct ShiftLeftQuietly {
  static constexpr HostFeature kNeeds = HostFeature::any;
  static constexpr ValueAt kValueAt = ValueAt::second;
  template <class T>
  static T apply(T value, T other, Flags& /*flags*/) {
    return value << (other & kShiftMask<T>);
  }
};

struct ShiftRightQuietly {
  static constexpr HostFeature kNeeds = HostFeature::any;
  static constexpr ValueAt kValueAt = ValueAt::second;
  template <class T>
  static T apply(T value, T other, Flags& /*flags*/) {
    return value >> (other & kShiftMask<T>);
  }
};

struct ShiftRightArithmeticQuietly {
  static constexpr HostFeature kNeeds = HostFeature::any;
  static constexpr ValueAt kValueAt = ValueAt::second;
  template <class T>
  static T apply(T value, T other, Flags& /*flags*/) {
    return static_cast<T>(static_cast<std::make_signed_t<T>>(value) >> (other & kShiftMask<T>));
  }
};

}  // namespace qm::soft
