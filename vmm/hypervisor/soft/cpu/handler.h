// How operations are called: each handler does one and jumps to the next, with the hot state in registers. A handler is
// one of the templates below around a *body*, the meaning of the operation: an inlined function that knows neither the
// calling convention nor what comes next.
//
//   step      bool body(Cpu&, const Operation&, Flags&)                        false: stopped; nothing was done
//   blockEnd  const Operation* body(Cpu&, const Operation*, Flags&)            the next block; null: stopped
//   system    Outcome body(Cpu&, const Operation&)                             flags in cpu.flags; for what is rare
//
// Kept in no hidden state: a compiler may call the same bodies.
#pragma once

#include <cstdint>

#include "vmm/hypervisor/soft/cpu/cpu.h"

// The convention passes arguments in registers that ordinary functions keep, so that a body may call one without
// spilling. AddressSanitizer miscompiles callers of it (lab.md), so there the plain convention serves.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define QM_OPERATION
#endif
#endif
#ifndef QM_OPERATION
#define QM_OPERATION __attribute__((preserve_none))
#endif

namespace qm::soft {

using Handler = QM_OPERATION void (*)(Cpu&, const Operation*, Flags, std::int64_t budget);

// Stops before the instruction of `op`; its address becomes rip.
QM_OPERATION void leaveBefore(Cpu& cpu, const Operation* op, Flags flags, std::int64_t budget);
// Stops at the start of the block that was to come next.
QM_OPERATION void leaveBetween(Cpu& cpu, const Operation* next, Flags flags, std::int64_t budget);
// Stops after the instruction of `op`, which has set cpu.rip.
QM_OPERATION void leaveAfter(Cpu& cpu, const Operation* op, Flags flags, std::int64_t budget);

// Handlers are stored as distances from this one.
inline std::int32_t handlerDistance(Handler handler) {
  return static_cast<std::int32_t>(reinterpret_cast<std::intptr_t>(handler) -
                                   reinterpret_cast<std::intptr_t>(&leaveBefore));
}
inline Handler handlerOf(const Operation* op) {
  // NOLINTNEXTLINE(performance-no-int-to-ptr): a record holds distances, not pointers
  return reinterpret_cast<Handler>(reinterpret_cast<std::intptr_t>(&leaveBefore) + op->handler);
}

template <auto body>
QM_OPERATION void step(Cpu& cpu, const Operation* op, Flags flags, std::int64_t budget) {
  if (!body(cpu, *op, flags)) [[unlikely]]
    [[clang::musttail]] return leaveBefore(cpu, op, flags, budget);
  [[clang::musttail]] return handlerOf(op + 1)(cpu, op + 1, flags, budget);
}

template <auto body>
QM_OPERATION void blockEnd(Cpu& cpu, const Operation* op, Flags flags, std::int64_t budget) {
  const Operation* next = body(cpu, op, flags);
  if (next == nullptr) [[unlikely]]
    [[clang::musttail]] return leaveBefore(cpu, op, flags, budget);
  budget -= op->ordinal + 1;
  if (budget < 0 || cpu.attention.load(std::memory_order_relaxed)) [[unlikely]]
    [[clang::musttail]] return leaveBetween(cpu, next, flags, budget);
  [[clang::musttail]] return handlerOf(next)(cpu, next, flags, budget);
}

enum class Outcome : std::uint8_t {
  next,       // go on with the block
  stopped,    // cpu.stop says why; nothing was done
  partly,     // some of it is done, the loop is to look, and cpu.rip is the instruction itself: it is not counted yet
  elsewhere,  // done; cpu.rip says where to go on, in a block that is looked up anew: pages or modes may have changed
  left,       // done; cpu.rip is set, and cpu.afterwards or the flags are for the loop to look at
};

// What runs next at cpu.rip, by the current pages and mode. Never null: where there is no block yet to be had (a fetch
// that faults, a step that ends here), an operation that hands back to the loop.
const Operation* nextBlock(Cpu& cpu);
// The same for a block that has ended at gpr[kBlockRip] already, with the link from `from` (`way` of Operation::chain)
// remembered where it is one within a page.
const Operation* blockAfter(Cpu& cpu);
const Operation* blockAfter(Cpu& cpu, const Operation* from, unsigned way);

// An instruction was met that is not modelled: counted by its name, and told of once.
void countUnmodelled(Cpu& cpu, const Operation& op);

template <auto body>
QM_OPERATION void system(Cpu& cpu, const Operation* op, Flags flags, std::int64_t budget) {
  cpu.flags = flags;
  cpu.budget = budget - op->ordinal;  // for who asks how many instructions there were (guest_clock.h)
  const Outcome outcome = body(cpu, *op);
  flags = cpu.flags;
  switch (outcome) {
    case Outcome::next:
      [[clang::musttail]] return handlerOf(op + 1)(cpu, op + 1, flags, budget);
    case Outcome::stopped:
      [[clang::musttail]] return leaveBefore(cpu, op, flags, budget);
    case Outcome::left:
      [[clang::musttail]] return leaveAfter(cpu, op, flags, budget);
    case Outcome::partly:
      [[clang::musttail]] return leaveBefore(cpu, op, flags, budget);
    case Outcome::elsewhere:
      break;
  }
  budget -= op->ordinal + 1;
  const Operation* next = nextBlock(cpu);
  if (budget < 0 || cpu.attention.load(std::memory_order_relaxed)) [[unlikely]]
    [[clang::musttail]] return leaveBetween(cpu, next, flags, budget);
  [[clang::musttail]] return handlerOf(next)(cpu, next, flags, budget);
}

// Runs from `first` until something stops: cpu.stop, cpu.rip, cpu.flags and cpu.budget are set. Handlers begin and end
// with the guest's MXCSR in the host's register (all exceptions masked).
void execute(Cpu& cpu, const Operation* first);

}  // namespace qm::soft
