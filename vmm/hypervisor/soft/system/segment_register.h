// What may go into a segment register, and what does (SDM 2, MOV, JMP, RET; SDM 3A, 5.5-5.8): the checks that MOV, POP
// and the far transfers have in common. False: a fault, and nothing was changed but a descriptor's accessed bit.
#pragma once

#include <cstdint>

#include "vmm/hypervisor/soft/cpu/cpu.h"

namespace qm::soft {

inline Segment& segment(Cpu& cpu, SegmentName name) {
  return cpu.system.segments[static_cast<std::size_t>(name)];
}
inline const Segment& segment(const Cpu& cpu, SegmentName name) {
  return cpu.system.segments[static_cast<std::size_t>(name)];
}

// Loads DS, ES, FS, GS or SS at the current privilege, in any mode.
bool loadSegment(Cpu& cpu, SegmentName name, std::uint16_t selector);

// Which way control goes to a code segment.
enum class Way : std::uint8_t {
  onward,  // JMP, CALL: CPL stays
  back,    // RET, IRET: to the selector's RPL, the current or an outer one
};
// A code segment as it will be in CS, with the CPL that it brings in its selector's RPL. A call gate or a task is
// counted as unmodelled, for `op`.
bool findCode(Cpu& cpu, const Operation& op, Way way, std::uint16_t selector, Segment& code);
// Whether its code can be at `rip`: canonical in 64-bit mode, else within the limit; else #GP(0).
bool isReachable(Cpu& cpu, const Segment& code, std::uint64_t rip);

// A stack segment for code of privilege `cpl`; null where that code is 64-bit and not user code.
enum class NullStack : std::uint8_t { forbidden, allowed };
bool findStack(Cpu& cpu, std::uint16_t selector, std::uint8_t cpl, NullStack null, Segment& stack);

// Goes on at `rip` in `code`: CS, cpu.rip, and what follows from them.
void enterCode(Cpu& cpu, const Segment& code, std::uint64_t rip);
// After a return to an outer privilege: data segments that are closed to it become null (SDM 2, RET).
void dropClosedSegments(Cpu& cpu);

}  // namespace qm::soft
