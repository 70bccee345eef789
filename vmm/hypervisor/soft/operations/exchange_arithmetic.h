// The host's own compare-and-exchange on memory, locked or not, and its flags: the family's read-modify-writes.
#pragma once

#include <cstdint>

#include "vmm/hypervisor/soft/cpu/cpu.h"
#include "vmm/hypervisor/soft/cpu/flags.h"

namespace qm::soft {

// Whether a read-modify-write is one step to the other processors.
enum class Atomicity : std::uint8_t { plain, locked };

// `accumulator` becomes what was in memory if the two differ.
template <class T>
inline void lockedCompareExchange(T* at, T& accumulator, T desired, Flags& flags) {
  std::uint64_t whole = accumulator;
  std::uint64_t found;
  asm volatile("lock cmpxchg %[desired], %[at]\n\tmov %%rax, %[found]\n\tlahf\n\tseto %%al"
               : [at] "+m"(*at), "+&a"(whole), [found] "=&r"(found)
               : [desired] "r"(desired)
               : "cc", "memory");
  accumulator = static_cast<T>(found);
  flags = whole;
}

template <class T>
inline T lockedExchangeAdd(T* at, T value, Flags& flags) {
  std::uint32_t after;
  asm volatile("lock xadd %[value], %[at]\n\tlahf\n\tseto %%al"
               : [at] "+m"(*at), [value] "+&r"(value), "=&a"(after)
               :
               : "cc", "memory");
  flags = after;
  return value;
}

// rdx:rax and rcx:rbx of CMPXCHG16B.
struct Pair {
  std::uint64_t low, high;
};

// At 16-byte alignment. True: they were equal; else `accumulator` is what was in memory.
inline bool compareExchangePair(Vector* at, Pair& accumulator, Pair desired, Atomicity atomicity) {
  bool wereEqual = false;
  if (atomicity == Atomicity::locked) {
    asm volatile("lock cmpxchg16b %[at]\n\tsetz %[equal]"
                 : [at] "+m"(*at), "+a"(accumulator.low), "+d"(accumulator.high), [equal] "=r"(wereEqual)
                 : "b"(desired.low), "c"(desired.high)
                 : "cc", "memory");
  } else {
    asm volatile("cmpxchg16b %[at]\n\tsetz %[equal]"
                 : [at] "+m"(*at), "+a"(accumulator.low), "+d"(accumulator.high), [equal] "=r"(wereEqual)
                 : "b"(desired.low), "c"(desired.high)
                 : "cc", "memory");
  }
  return wereEqual;
}

}  // namespace qm::soft
