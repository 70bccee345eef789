// The arithmetic of the shift family: one struct an instruction, which is the host's own instruction followed by `lahf`
// and `seto` (flags.h). `count` has been masked and is not 0: a shift by 0 changes no flag (SDM 2, SAL).
#pragma once

#include <bit>
#include <cstdint>
#include <type_traits>

#include "vmm/hypervisor/soft/cpu/flags.h"
#include "vmm/hypervisor/soft/decode/emitter.h"

namespace qm::soft {

struct ShiftLeft {
  static constexpr FlagRole kRole = FlagRole::overwrites;
  template <class T>
  static T plain(T value, std::uint8_t count) {
    return static_cast<T>(static_cast<std::uint64_t>(value) << count);
  }
  template <class T>
  static T apply(T value, std::uint8_t count, Flags& flags) {
    std::uint32_t after;
    asm("shl %%cl, %[value]\n\tlahf\n\tseto %%al" : [value] "+&r"(value), "=&a"(after) : "c"(count) : "cc");
    flags = after;
    return value;
  }
};

struct ShiftRight {
  static constexpr FlagRole kRole = FlagRole::overwrites;
  template <class T>
  static T plain(T value, std::uint8_t count) {
    return static_cast<T>(static_cast<std::uint64_t>(value) >> count);
  }
  template <class T>
  static T apply(T value, std::uint8_t count, Flags& flags) {
    std::uint32_t after;
    asm("shr %%cl, %[value]\n\tlahf\n\tseto %%al" : [value] "+&r"(value), "=&a"(after) : "c"(count) : "cc");
    flags = after;
    return value;
  }
};

struct ShiftRightArithmetic {
  static constexpr FlagRole kRole = FlagRole::overwrites;
  template <class T>
  static T plain(T value, std::uint8_t count) {
    return static_cast<T>(static_cast<std::int64_t>(static_cast<std::make_signed_t<T>>(value)) >> count);
  }
  template <class T>
  static T apply(T value, std::uint8_t count, Flags& flags) {
    std::uint32_t after;
    asm("sar %%cl, %[value]\n\tlahf\n\tseto %%al" : [value] "+&r"(value), "=&a"(after) : "c"(count) : "cc");
    flags = after;
    return value;
  }
};

// Rotates change CF and OF only.
inline constexpr Flags kRotateFlags = kCarry | kOverflow;

struct RotateLeft {
  static constexpr FlagRole kRole = FlagRole::merges;
  template <class T>
  static T plain(T value, std::uint8_t count) {
    return std::rotl(value, count);
  }
  template <class T>
  static T apply(T value, std::uint8_t count, Flags& flags) {
    std::uint32_t after;
    asm("rol %%cl, %[value]\n\tlahf\n\tseto %%al" : [value] "+&r"(value), "=&a"(after) : "c"(count) : "cc");
    flags = (flags & ~kRotateFlags) | (after & kRotateFlags);
    return value;
  }
};

struct RotateRight {
  static constexpr FlagRole kRole = FlagRole::merges;
  template <class T>
  static T plain(T value, std::uint8_t count) {
    return std::rotr(value, count);
  }
  template <class T>
  static T apply(T value, std::uint8_t count, Flags& flags) {
    std::uint32_t after;
    asm("ror %%cl, %[value]\n\tlahf\n\tseto %%al" : [value] "+&r"(value), "=&a"(after) : "c"(count) : "cc");
    flags = (flags & ~kRotateFlags) | (after & kRotateFlags);
    return value;
  }
};

// `bt` gives the host's carry flag the guest's.
struct RotateLeftThroughCarry {
  static constexpr FlagRole kRole = FlagRole::reads;
  template <class T>
  static T apply(T value, std::uint8_t count, Flags& flags) {
    std::uint32_t after;
    asm("bt $8, %[before]\n\t"
        "rcl %%cl, %[value]\n\tlahf\n\tseto %%al"
        : [value] "+&r"(value), "=&a"(after)
        : "c"(count), [before] "r"(static_cast<std::uint32_t>(flags))
        : "cc");
    flags = (flags & ~kRotateFlags) | (after & kRotateFlags);
    return value;
  }
};

struct RotateRightThroughCarry {
  static constexpr FlagRole kRole = FlagRole::reads;
  template <class T>
  static T apply(T value, std::uint8_t count, Flags& flags) {
    std::uint32_t after;
    asm("bt $8, %[before]\n\t"
        "rcr %%cl, %[value]\n\tlahf\n\tseto %%al"
        : [value] "+&r"(value), "=&a"(after)
        : "c"(count), [before] "r"(static_cast<std::uint32_t>(flags))
        : "cc");
    flags = (flags & ~kRotateFlags) | (after & kRotateFlags);
    return value;
  }
};

// Two operands as one: what is shifted in comes from `from`. With 16 bits and a count above 16 the manual leaves all
// undefined; it is what the host makes of it.
struct DoubleShiftLeft {
  template <class T>
  static T apply(T value, T from, std::uint8_t count, Flags& flags) {
    std::uint32_t after;
    asm("shld %%cl, %[from], %[value]\n\tlahf\n\tseto %%al"
        : [value] "+&r"(value), "=&a"(after)
        : [from] "r"(from), "c"(count)
        : "cc");
    flags = after;
    return value;
  }
};

struct DoubleShiftRight {
  template <class T>
  static T apply(T value, T from, std::uint8_t count, Flags& flags) {
    std::uint32_t after;
    asm("shrd %%cl, %[from], %[value]\n\tlahf\n\tseto %%al"
        : [value] "+&r"(value), "=&a"(after)
        : [from] "r"(from), "c"(count)
        : "cc");
    flags = after;
    return value;
  }
};

// The same without its flags, where nobody sees them.
template <class Op>
struct QuietShift {
  template <class T>
  static T apply(T value, std::uint8_t count, Flags& /*flags*/) {
    return Op::plain(value, count);
  }
};
template <class Op>
concept HasQuietShift = requires(std::uint32_t value) { Op::plain(value, std::uint8_t{1}); };

}  // namespace qm::soft
