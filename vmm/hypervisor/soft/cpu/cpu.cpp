#include "vmm/hypervisor/soft/cpu/cpu.h"

#include <tuple>

namespace qm::soft {

bool raise(Cpu& cpu, Exception exception, std::uint32_t errorCode) {
  cpu.stop = Stop::exception;
  cpu.fault = {.exception = exception, .errorCode = errorCode};
  return false;
}

bool askToBeAlone(Cpu& cpu) {
  cpu.stop = Stop::alone;
  return false;
}

namespace {

Privilege privilegeOf(const Cpu& cpu) {
  const SystemState& system = cpu.system;
  constexpr std::uint64_t kDataBreakpointTypes = 0x2222'0000;  // R/W fields 01 and 11 have one low bit set
  const bool breaksOnData =
      (system.debug.dr7 & 0xff) != 0 && (system.debug.dr7 & (kDataBreakpointTypes | 0x1111'0000)) != 0;
  const bool checksAlignment = isUser(cpu) && (system.cr0 & cr0::kAm) != 0 && (cpu.rflags & rflags::kAc) != 0;
  if (breaksOnData || checksAlignment) return Privilege::watched;
  if (isUser(cpu)) return Privilege::user;
  return (system.cr4 & cr4::kSmap) == 0 || (cpu.rflags & rflags::kAc) != 0 ? Privilege::kernelOpen : Privilege::kernel;
}

void openUnits(SystemState& system) {
  const bool isEmulated = (system.cr0 & cr0::kEm) != 0, isSwitched = (system.cr0 & cr0::kTs) != 0;
  const UnitState whenSwitched = isSwitched ? UnitState::notAvailable : UnitState::open;
  system.vectorUnit = isEmulated || (system.cr4 & cr4::kOsfxsr) == 0 ? UnitState::invalid : whenSwitched;
  system.x87Unit = isEmulated ? UnitState::notAvailable : whenSwitched;
  system.mmxUnit = isEmulated ? UnitState::invalid : whenSwitched;
  // SDM 2A, 2.4: neither CR0.EM nor CR4.OSFXSR has a say.
  constexpr std::uint64_t kSseAndAvx = 6;
  const bool isSwitchedOn = (system.cr4 & cr4::kOsxsave) != 0 && (system.xcr0 & kSseAndAvx) == kSseAndAvx;
  system.vexUnit = isSwitchedOn ? whenSwitched : UnitState::invalid;
}

}  // namespace

void privilegeChanged(Cpu& cpu) {
  cpu.privilege = privilegeOf(cpu);
  cpu.tlb = &cpu.tlbs[static_cast<std::size_t>(cpu.privilege)];
}

void modeChanged(Cpu& cpu) {
  SystemState& system = cpu.system;
  const auto decoding = [&system] {
    return std::tuple(
        system.codeSize, system.vectorUnit, system.x87Unit, system.mmxUnit, system.vexUnit,
        system.codeSize == CodeSize::bits64 ? 0 : system.segments[static_cast<std::size_t>(SegmentName::cs)].base);
  };
  const auto before = decoding();
  const Segment& cs = system.segments[static_cast<std::size_t>(SegmentName::cs)];
  const Segment& ss = system.segments[static_cast<std::size_t>(SegmentName::ss)];
  // SS.DPL is the CPL whenever it can differ from CS.RPL (SDM 3C, 24.4.1); real mode runs at 0.
  system.cpl = (system.cr0 & cr0::kPe) != 0 ? (cs.l ? static_cast<std::uint8_t>(cs.selector & 3U) : ss.dpl) : 0;
  const bool isLong = (system.efer & efer::kLma) != 0 && cs.l;
  system.codeSize = isLong ? CodeSize::bits64 : cs.db ? CodeSize::bits32 : CodeSize::bits16;
  for (const SegmentName name : {SegmentName::fs, SegmentName::gs})
    cpu.segmentBase[static_cast<std::size_t>(name)] = system.segments[static_cast<std::size_t>(name)].base;
  openUnits(system);
  privilegeChanged(cpu);
  cpu.jumps = &cpu.jumpCaches[isUser(cpu) ? 1 : 0];
  // The same address may decode to something else.
  if (decoding() != before) {
    for (JumpCache& jumps : cpu.jumpCaches) jumps.forget();
  }
}

}  // namespace qm::soft
