// The arithmetic of the bit family: one struct an instruction. Those that test one bit give it as CF and leave the
// other flags alone (undefined but for ZF: SDM 2, BT); those that scan or count are the host's own instruction with
// `lahf` and `seto` (flags.h).
#pragma once

#include <cstdint>

#include "vmm/hypervisor/soft/cpu/flags.h"

namespace qm::soft {

// ---- one bit: apply() on a value and a mask of the bit, applyLocked() on memory, which tells what the bit was

struct BitTest {
  static constexpr bool kWrites = false;
  template <class T>
  static T apply(T value, T /*mask*/) {
    return value;
  }
};

struct BitSet {
  static constexpr bool kWrites = true;
  template <class T>
  static T apply(T value, T mask) {
    return value | mask;
  }
  template <class T>
  static bool applyLocked(T* at, T bit) {
    bool was;
    asm volatile("lock bts %[bit], %[at]\n\tsetc %[was]"
                 : [at] "+m"(*at), [was] "=q"(was)
                 : [bit] "r"(bit)
                 : "cc", "memory");
    return was;
  }
};

struct BitReset {
  static constexpr bool kWrites = true;
  template <class T>
  static T apply(T value, T mask) {
    return static_cast<T>(value & ~mask);
  }
  template <class T>
  static bool applyLocked(T* at, T bit) {
    bool was;
    asm volatile("lock btr %[bit], %[at]\n\tsetc %[was]"
                 : [at] "+m"(*at), [was] "=q"(was)
                 : [bit] "r"(bit)
                 : "cc", "memory");
    return was;
  }
};

struct BitComplement {
  static constexpr bool kWrites = true;
  template <class T>
  static T apply(T value, T mask) {
    return value ^ mask;
  }
  template <class T>
  static bool applyLocked(T* at, T bit) {
    bool was;
    asm volatile("lock btc %[bit], %[at]\n\tsetc %[was]"
                 : [at] "+m"(*at), [was] "=q"(was)
                 : [bit] "r"(bit)
                 : "cc", "memory");
    return was;
  }
};

// ---- scans and counts: the result, and all flags; those that are undefined are the host's

// The result of a scan that finds nothing is undefined in the manual; processors leave the destination alone, all 64
// bits of it.
struct ScanForward {
  static constexpr bool kWritesWhenZero = false;
  template <class T>
  static T apply(T source, Flags& flags) {
    T result = 0;
    std::uint32_t after;
    asm("bsf %[source], %[result]\n\tlahf\n\tseto %%al"
        : [result] "+&r"(result), "=&a"(after)
        : [source] "r"(source)
        : "cc");
    flags = after;
    return result;
  }
};

struct ScanReverse {
  static constexpr bool kWritesWhenZero = false;
  template <class T>
  static T apply(T source, Flags& flags) {
    T result = 0;
    std::uint32_t after;
    asm("bsr %[source], %[result]\n\tlahf\n\tseto %%al"
        : [result] "+&r"(result), "=&a"(after)
        : [source] "r"(source)
        : "cc");
    flags = after;
    return result;
  }
};

// LZCNT and TZCNT are BSR and BSF to a CPU that does not know them: the host's, and so the guest's.
struct CountLeadingZeros {
  static constexpr bool kWritesWhenZero = true;
  template <class T>
  static T apply(T source, Flags& flags) {
    T result = 0;
    std::uint32_t after;
    asm("lzcnt %[source], %[result]\n\tlahf\n\tseto %%al"
        : [result] "+&r"(result), "=&a"(after)
        : [source] "r"(source)
        : "cc");
    flags = after;
    return result;
  }
};

struct CountTrailingZeros {
  static constexpr bool kWritesWhenZero = true;
  template <class T>
  static T apply(T source, Flags& flags) {
    T result = 0;
    std::uint32_t after;
    asm("tzcnt %[source], %[result]\n\tlahf\n\tseto %%al"
        : [result] "+&r"(result), "=&a"(after)
        : [source] "r"(source)
        : "cc");
    flags = after;
    return result;
  }
};

struct CountOnes {
  static constexpr bool kWritesWhenZero = true;
  template <class T>
  static T apply(T source, Flags& flags) {
    T result = 0;
    std::uint32_t after;
    asm("popcnt %[source], %[result]\n\tlahf\n\tseto %%al"
        : [result] "+&r"(result), "=&a"(after)
        : [source] "r"(source)
        : "cc");
    flags = after;
    return result;
  }
};

}  // namespace qm::soft
