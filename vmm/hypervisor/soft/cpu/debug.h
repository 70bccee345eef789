// Debug registers: SDM 3B, chapter 17.
// Modelled: breakpoints on instructions, on data writes and on data accesses; single steps.
// Not modelled: that data breakpoints hit by a load of SS wait for the next instruction, breakpoints on ports (CR4.DE),
// RTM, the branch trace of IA32_DEBUGCTL, data breakpoints that are hit by the processor's own accesses to descriptors.
// A condition that DR7 does not enable leaves no bit in DR6.
#pragma once

#include <cstdint>

#include "vmm/hypervisor/soft/cpu/cpu.h"
#include "vmm/hypervisor/soft/cpu/use.h"

namespace qm::soft {

namespace dr6 {
inline constexpr std::uint64_t kBreakpoints = 0xf, kBd = 1U << 13U, kBs = 1U << 14U, kBt = 1U << 15U,
                               kRtm = 1U << 16U,  // 0: within a transaction
    kReserved = 0xffff'0ff0;                      // read as 1
}
namespace dr7 {
inline constexpr std::uint64_t kEnables = 0xff, kGd = 1U << 13U, kReserved = 1U << 10U;
}

// DR6's bits of the enabled breakpoints that this access to data hits.
std::uint64_t dataBreakpointsAt(const DebugRegisters& debug, std::uint64_t address, unsigned bytes, Use use);

// Whether the loop has to go instruction by instruction: any is enabled.
bool hasInstructionBreakpoints(const Cpu& cpu);
// Before an instruction begins at cpu.rip: true if a breakpoint is there, with cpu.fault the #DB. Not under RFLAGS.RF.
bool hitsInstructionBreakpoint(Cpu& cpu);

// An instruction has hit data breakpoints (DR6's bits): it becomes a trap once it is done.
inline void noteDataBreakpoints(Cpu& cpu, std::uint64_t bits) {
  cpu.system.breakpointsHit |= bits;
}
// Before an instruction that is run alone begins, or begins again, and where it has ended in a fault.
inline void forgetTraps(Cpu& cpu) {
  cpu.system.breakpointsHit = 0;
  cpu.singleStep = SingleStep::byFlag;
}
// After an instruction that was run alone: true if it traps, by RFLAGS.TF as it was before it and what cpu.singleStep
// says (SDM 3A, 6.8.3; SDM 3B, 17.3.1.4), or for data, with cpu.fault the #DB.
bool raisesDebugTrap(Cpu& cpu, std::uint64_t rflagsBefore);

// #DB for other causes (DR6's BD): false, as raise().
bool raiseDebug(Cpu& cpu, std::uint64_t bits);
// As a #DB is delivered: its bits, cpu.fault.address, go to DR6, and DR7.GD is cleared.
void enterDebugException(Cpu& cpu);

}  // namespace qm::soft
