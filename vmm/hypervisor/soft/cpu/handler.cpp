#include "vmm/hypervisor/soft/cpu/handler.h"

#include <immintrin.h>

namespace qm::soft {

QM_OPERATION void leaveBefore(Cpu& cpu, const Operation* op, Flags flags, std::int64_t budget) {
  cpu.flags = flags;
  cpu.budget = budget - op->ordinal;
  cpu.rip = addressOf(cpu, *op);
  // A stack's address that is not canonical is a stack fault (SDM 3A, 6.15, #SS).
  if (cpu.fault.isAddress && op->segment == SegmentName::ss) cpu.fault.exception = Exception::stackFault;
}

QM_OPERATION void leaveBetween(Cpu& cpu, const Operation* /*next*/, Flags flags, std::int64_t budget) {
  cpu.flags = flags;
  cpu.budget = budget;
  cpu.rip = cpu.gpr[kBlockRip];
  cpu.stop = Stop::attention;
}

QM_OPERATION void leaveAfter(Cpu& cpu, const Operation* op, Flags flags, std::int64_t budget) {
  cpu.flags = flags;
  cpu.budget = budget - op->ordinal - 1;
  if (cpu.stop == Stop::none) cpu.stop = Stop::retired;
}

namespace {

constexpr std::uint32_t kSticky = 0x3f, kMasks = 0x1f80;

// One uninstrumented step from the plain convention into the operations' own (lab.md: AddressSanitizer).
__attribute__((noinline, no_sanitize("address"))) void begin(Cpu& cpu, const Operation* first) {
  handlerOf(first)(cpu, first, cpu.flags, cpu.budget);
}

}  // namespace

void execute(Cpu& cpu, const Operation* first) {
  cpu.stop = Stop::none;
  cpu.budgetGiven = cpu.budget;
  const std::uint32_t host = _mm_getcsr();
  _mm_setcsr(cpu.mxcsr | kMasks);
  begin(cpu, first);
  cpu.mxcsr |= _mm_getcsr() & kSticky;
  _mm_setcsr(host);
  cpu.instructions += static_cast<std::uint64_t>(cpu.budgetGiven - cpu.budget);
  cpu.budgetGiven = cpu.budget;
}

}  // namespace qm::soft
