// The arithmetic of the ALU family: one struct an instruction, which is the host's own instruction followed by `lahf`
// and `seto` (flags.h). apply() works on values, applyLocked() on memory, atomically.
#pragma once

#include <cstdint>

#include "vmm/hypervisor/soft/cpu/flags.h"
#include "vmm/hypervisor/soft/decode/emitter.h"

namespace qm::soft {

// Gives the host's carry flag the guest's, for what reads it: `bt` copies a bit into CF and leaves ZF alone; kCarry is
// bit 8.
struct Add {
  static constexpr bool kWrites = true;
  static constexpr bool kReads = false;  // flags
  template <class T>
  static T plain(T a, T b) {
    return static_cast<T>(a + b);
  }
  template <class T>
  static T apply(T a, T b, Flags& flags) {
    std::uint32_t after;
    asm("add %[b], %[a]\n\tlahf\n\tseto %%al" : [a] "+&r"(a), "=&a"(after) : [b] "r"(b) : "cc");
    flags = after;
    return a;
  }
  template <class T>
  static void applyLocked(T* at, T b, Flags& flags) {
    std::uint32_t after;
    asm volatile("lock add %[b], %[at]\n\tlahf\n\tseto %%al"
                 : [at] "+m"(*at), "=&a"(after)
                 : [b] "r"(b)
                 : "cc", "memory");
    flags = after;
  }
};

struct AddWithCarry {
  static constexpr bool kWrites = true;
  static constexpr bool kReads = true;  // flags
  template <class T>
  static T apply(T a, T b, Flags& flags) {
    std::uint32_t after;
    asm("bt $8, %[before]\n\t"
        "adc %[b], %[a]\n\tlahf\n\tseto %%al"
        : [a] "+&r"(a), "=&a"(after)
        : [b] "r"(b), [before] "r"(static_cast<std::uint32_t>(flags))
        : "cc");
    flags = after;
    return a;
  }
  template <class T>
  static void applyLocked(T* at, T b, Flags& flags) {
    std::uint32_t after;
    asm volatile(
        "bt $8, %[before]\n\t"
        "lock adc %[b], %[at]\n\tlahf\n\tseto %%al"
        : [at] "+m"(*at), "=&a"(after)
        : [b] "r"(b), [before] "r"(static_cast<std::uint32_t>(flags))
        : "cc", "memory");
    flags = after;
  }
};

struct Subtract {
  static constexpr bool kWrites = true;
  static constexpr bool kReads = false;  // flags
  template <class T>
  static T plain(T a, T b) {
    return static_cast<T>(a - b);
  }
  template <class T>
  static T apply(T a, T b, Flags& flags) {
    std::uint32_t after;
    asm("sub %[b], %[a]\n\tlahf\n\tseto %%al" : [a] "+&r"(a), "=&a"(after) : [b] "r"(b) : "cc");
    flags = after;
    return a;
  }
  template <class T>
  static void applyLocked(T* at, T b, Flags& flags) {
    std::uint32_t after;
    asm volatile("lock sub %[b], %[at]\n\tlahf\n\tseto %%al"
                 : [at] "+m"(*at), "=&a"(after)
                 : [b] "r"(b)
                 : "cc", "memory");
    flags = after;
  }
};

struct SubtractWithBorrow {
  static constexpr bool kWrites = true;
  static constexpr bool kReads = true;  // flags
  template <class T>
  static T apply(T a, T b, Flags& flags) {
    std::uint32_t after;
    asm("bt $8, %[before]\n\t"
        "sbb %[b], %[a]\n\tlahf\n\tseto %%al"
        : [a] "+&r"(a), "=&a"(after)
        : [b] "r"(b), [before] "r"(static_cast<std::uint32_t>(flags))
        : "cc");
    flags = after;
    return a;
  }
  template <class T>
  static void applyLocked(T* at, T b, Flags& flags) {
    std::uint32_t after;
    asm volatile(
        "bt $8, %[before]\n\t"
        "lock sbb %[b], %[at]\n\tlahf\n\tseto %%al"
        : [at] "+m"(*at), "=&a"(after)
        : [b] "r"(b), [before] "r"(static_cast<std::uint32_t>(flags))
        : "cc", "memory");
    flags = after;
  }
};

struct Compare {
  static constexpr bool kWrites = false;
  static constexpr bool kReads = false;  // flags
  template <class T>
  static T apply(T a, T b, Flags& flags) {
    std::uint32_t after;
    asm("cmp %[b], %[a]\n\tlahf\n\tseto %%al" : "=&a"(after) : [a] "r"(a), [b] "r"(b) : "cc");
    flags = after;
    return a;
  }
};

struct And {
  static constexpr bool kWrites = true;
  static constexpr bool kReads = false;  // flags
  template <class T>
  static T plain(T a, T b) {
    return static_cast<T>(a & b);
  }
  template <class T>
  static T apply(T a, T b, Flags& flags) {
    std::uint32_t after;
    asm("and %[b], %[a]\n\tlahf\n\tseto %%al" : [a] "+&r"(a), "=&a"(after) : [b] "r"(b) : "cc");
    flags = after;
    return a;
  }
  template <class T>
  static void applyLocked(T* at, T b, Flags& flags) {
    std::uint32_t after;
    asm volatile("lock and %[b], %[at]\n\tlahf\n\tseto %%al"
                 : [at] "+m"(*at), "=&a"(after)
                 : [b] "r"(b)
                 : "cc", "memory");
    flags = after;
  }
};

struct Or {
  static constexpr bool kWrites = true;
  static constexpr bool kReads = false;  // flags
  template <class T>
  static T plain(T a, T b) {
    return static_cast<T>(a | b);
  }
  template <class T>
  static T apply(T a, T b, Flags& flags) {
    std::uint32_t after;
    asm("or %[b], %[a]\n\tlahf\n\tseto %%al" : [a] "+&r"(a), "=&a"(after) : [b] "r"(b) : "cc");
    flags = after;
    return a;
  }
  template <class T>
  static void applyLocked(T* at, T b, Flags& flags) {
    std::uint32_t after;
    asm volatile("lock or %[b], %[at]\n\tlahf\n\tseto %%al"
                 : [at] "+m"(*at), "=&a"(after)
                 : [b] "r"(b)
                 : "cc", "memory");
    flags = after;
  }
};

struct ExclusiveOr {
  static constexpr bool kWrites = true;
  static constexpr bool kReads = false;  // flags
  template <class T>
  static T plain(T a, T b) {
    return static_cast<T>(a ^ b);
  }
  template <class T>
  static T apply(T a, T b, Flags& flags) {
    std::uint32_t after;
    asm("xor %[b], %[a]\n\tlahf\n\tseto %%al" : [a] "+&r"(a), "=&a"(after) : [b] "r"(b) : "cc");
    flags = after;
    return a;
  }
  template <class T>
  static void applyLocked(T* at, T b, Flags& flags) {
    std::uint32_t after;
    asm volatile("lock xor %[b], %[at]\n\tlahf\n\tseto %%al"
                 : [at] "+m"(*at), "=&a"(after)
                 : [b] "r"(b)
                 : "cc", "memory");
    flags = after;
  }
};

struct Test {
  static constexpr bool kWrites = false;
  static constexpr bool kReads = false;  // flags
  template <class T>
  static T apply(T a, T b, Flags& flags) {
    std::uint32_t after;
    asm("test %[b], %[a]\n\tlahf\n\tseto %%al" : "=&a"(after) : [a] "r"(a), [b] "r"(b) : "cc");
    flags = after;
    return a;
  }
};

struct Increment {
  static constexpr FlagRole kRole = FlagRole::merges;
  template <class T>
  static T apply(T a, Flags& flags) {
    std::uint32_t after;
    asm("inc %[a]\n\tlahf\n\tseto %%al" : [a] "+&r"(a), "=&a"(after) : : "cc");
    flags = (flags & kCarry) | (after & ~kCarry);
    return a;
  }
  template <class T>
  static void applyLocked(T* at, Flags& flags) {
    Flags after = flags;
    Add::applyLocked(at, T{1}, after);
    flags = (flags & kCarry) | (after & ~kCarry);
  }
};

struct Decrement {
  static constexpr FlagRole kRole = FlagRole::merges;
  template <class T>
  static T apply(T a, Flags& flags) {
    std::uint32_t after;
    asm("dec %[a]\n\tlahf\n\tseto %%al" : [a] "+&r"(a), "=&a"(after) : : "cc");
    flags = (flags & kCarry) | (after & ~kCarry);
    return a;
  }
  template <class T>
  static void applyLocked(T* at, Flags& flags) {
    Flags after = flags;
    Subtract::applyLocked(at, T{1}, after);
    flags = (flags & kCarry) | (after & ~kCarry);
  }
};

struct Negate {
  static constexpr FlagRole kRole = FlagRole::overwrites;
  template <class T>
  static T apply(T a, Flags& flags) {
    std::uint32_t after;
    asm("neg %[a]\n\tlahf\n\tseto %%al" : [a] "+&r"(a), "=&a"(after) : : "cc");
    flags = after;
    return a;
  }
  template <class T>
  static void applyLocked(T* at, Flags& flags) {
    T expected;  // the place may be misaligned
    __builtin_memcpy(&expected, reinterpret_cast<const char*>(at), sizeof expected);
    bool isDone = false;
    while (!isDone) {  // NOLINT(bugprone-infinite-loop): the assembly sets it
      Flags after = flags;
      T negated = apply(expected, after);
      asm volatile("lock cmpxchg %[to], %[at]\n\tsetz %[done]"
                   : [at] "+m"(*at), "+a"(expected), [done] "=q"(isDone)
                   : [to] "r"(negated)
                   : "cc", "memory");
      if (isDone) flags = after;
    }
  }
};

struct Complement {
  static constexpr FlagRole kRole = FlagRole::neutral;
  template <class T>
  static T apply(T a, Flags& /*flags*/) {
    return static_cast<T>(~a);
  }
  template <class T>
  static void applyLocked(T* at, Flags& /*flags*/) {
    asm volatile("lock xor %[ones], %[at]" : [at] "+m"(*at) : [ones] "r"(static_cast<T>(~T{0})) : "cc", "memory");
  }
};

// The same without its flags, where nobody sees them.
template <class Op>
struct Quiet {
  static constexpr bool kWrites = true, kReads = false;
  template <class T>
  static T apply(T a, T b, Flags& /*flags*/) {
    return Op::plain(a, b);
  }
};
template <class Op>
concept HasQuiet = requires(std::uint32_t a) { Op::plain(a, a); };

}  // namespace qm::soft
