#include "vmm/hypervisor/soft/system/msrs.h"

#include <optional>

#include "vmm/hypervisor/soft/chips/interrupt_fabric.h"
#include "vmm/hypervisor/soft/memory/page_walk.h"
#include "vmm/hypervisor/soft/memory/tlb_flush.h"
#include "vmm/hypervisor/soft/system/held_msrs.h"
#include "vmm/hypervisor/soft/system/kvm_clock.h"
#include "vmm/hypervisor/soft/system/msr_numbers.h"
#include "vmm/hypervisor/soft/time/guest_clock.h"

namespace qm::soft {

namespace {

using enum Msr;

constexpr std::uint64_t kMtrrCapabilities = 0x508;  // 8 variable ranges, fixed ones, write combining
constexpr std::uint64_t kMicrocode = 1ULL << 32U;   // revision 1
constexpr std::uint64_t kSerialisingLfence = 2;     // of DE_CFG: Linux then uses LFENCE before RDTSC

bool isWithin(std::uint32_t index, Msr first, std::uint32_t count) {
  return index - static_cast<std::uint32_t>(first) < count;
}

// Banks of which IA32_MCG_CAP tells nothing, but that a guest may have found elsewhere (KVM has 32 of them): no errors.
bool isMachineCheckBank(std::uint32_t index) {
  constexpr std::uint32_t kBanks = 32;
  return isWithin(index, IA32_MC0_CTL, kBanks * 4);
}

bool isX2Apic(std::uint32_t index) {
  return isWithin(index, IA32_X2APIC_FIRST, 0x100);
}

std::optional<std::uint64_t> constantOf(std::uint32_t index) {
  switch (Msr{index}) {
    case IA32_PLATFORM_ID:
    case MSR_PLATFORM_INFO:
    case MSR_MISC_FEATURES_ENABLES:
    case IA32_MCG_CAP:
    case IA32_DEBUGCTL:
    case SYSCFG:
    case HWCR:
      return 0;
    case IA32_BIOS_SIGN_ID:
      return kMicrocode;
    case IA32_MTRRCAP:
      return kMtrrCapabilities;
    case DE_CFG:
      return kSerialisingLfence;
    default:
      return isMachineCheckBank(index) ? std::optional<std::uint64_t>(0) : std::nullopt;
  }
}

// What may be written to one of those, without effect.
bool constantTakes(std::uint32_t index, std::uint64_t value) {
  constexpr std::uint64_t kBranches = 3;             // DEBUGCTL's LBR and BTF
  constexpr std::uint64_t kHwcrHarmless = 0x4'0148;  // what KVM lets pass
  switch (Msr{index}) {
    case MSR_MISC_FEATURES_ENABLES:
      return value == 0;
    case IA32_DEBUGCTL:
      return (value & ~kBranches) == 0;
    case HWCR:
      return (value & ~kHwcrHarmless) == 0;
    case IA32_BIOS_SIGN_ID:
    case DE_CFG:
      return true;
    default:
      return isMachineCheckBank(index);
  }
}

Segment& segmentOf(Cpu& cpu, SegmentName name) {
  return cpu.system.segments[static_cast<std::size_t>(name)];
}

bool writeSegmentBase(Cpu& cpu, SegmentName name, std::uint64_t value) {
  if (!isCanonical(value)) return false;
  segmentOf(cpu, name).base = value;
  cpu.segmentBase[static_cast<std::size_t>(name)] = value;
  return true;
}

// SDM 3A, 2.2.1. LMA follows from LME and CR0.PG; what is written to it goes nowhere.
bool writeEfer(Cpu& cpu, std::uint64_t value) {
  constexpr std::uint64_t kWritable = efer::kSce | efer::kLme | efer::kNxe;
  SystemState& system = cpu.system;
  if ((value & ~(kWritable | efer::kLma)) != 0) return false;
  const std::uint64_t changed = (system.efer ^ value) & kWritable;
  if ((changed & efer::kLme) != 0 && (system.cr0 & cr0::kPg) != 0) return false;
  system.efer = (system.efer & efer::kLma) | (value & kWritable);
  if ((changed & efer::kNxe) != 0) flushAll(cpu);
  modeChanged(cpu);
  return true;
}

bool writeApicBase(Cpu& cpu, std::uint64_t value) {
  if ((value & ~(cpu.system.physicalMask | 0xfffU)) != 0) return false;
  if (!cpu.around.chips.setApicBase(cpu.around.index, value)) return false;
  flushAll(cpu);  // its page may lie on memory
  return true;
}

// IA32_TIME_STAMP_COUNTER and IA32_TSC_ADJUST move together (SDM 3B, 17.17.3).
bool moveTsc(Cpu& cpu, std::uint64_t by) {
  const std::uint64_t from = readTsc(cpu);
  cpu.system.tscOffset += by;
  cpu.system.tscAdjust += by;
  cpu.around.chips.adjustTsc(cpu.around.index, from, from + by);
  timerChanged(cpu);
  invalidateKvmClock(cpu);
  refreshKvmClock(cpu);
  return true;
}

bool writeWallClock(Cpu& cpu, std::uint64_t value) {
  writeWallClockMsr(cpu, value);
  return true;
}

bool writeSystemTime(Cpu& cpu, std::uint64_t value) {
  writeSystemTimeMsr(cpu, value);
  return true;
}

bool writeDeadline(Cpu& cpu, std::uint64_t value) {
  cpu.around.chips.setTscDeadline(cpu.around.index, value, readTsc(cpu));
  timerChanged(cpu);
  return true;
}

bool writeHeld(Cpu& cpu, std::uint32_t index, std::uint64_t value) {
  std::uint64_t* const held = heldMsr(cpu.system, index);
  if (held == nullptr || !isLegalFor(cpu.system, index, value)) return false;
  *held = value;
  return true;
}

std::optional<std::uint64_t> readOther(Cpu& cpu, std::uint32_t index) {
  if (isX2Apic(index)) return cpu.around.chips.readX2(cpu.around.index, index, readTsc(cpu));
  if (const std::uint64_t* held = heldMsr(cpu.system, index)) return *held;
  return constantOf(index);
}

std::optional<std::uint64_t> read(Cpu& cpu, std::uint32_t index) {
  switch (Msr{index}) {
    case IA32_TIME_STAMP_COUNTER:
      return readTsc(cpu);
    case IA32_TSC_ADJUST:
      return cpu.system.tscAdjust;
    case IA32_TSC_DEADLINE:
      return cpu.around.chips.tscDeadline(cpu.around.index, readTsc(cpu));
    case IA32_APIC_BASE:
      return cpu.around.chips.apicBase(cpu.around.index);
    case IA32_EFER:
      return cpu.system.efer;
    case IA32_FS_BASE:
      return segmentOf(cpu, SegmentName::fs).base;
    case IA32_GS_BASE:
      return segmentOf(cpu, SegmentName::gs).base;
    case MSR_KVM_WALL_CLOCK:
    case MSR_KVM_WALL_CLOCK_NEW:
      return cpu.system.kvmClock.wallClock;
    case MSR_KVM_SYSTEM_TIME:
    case MSR_KVM_SYSTEM_TIME_NEW:
      return cpu.system.kvmClock.systemTime;
    default:
      return readOther(cpu, index);
  }
}

}  // namespace

bool readMsr(Cpu& cpu, std::uint32_t index, std::uint64_t& value) {
  const std::optional<std::uint64_t> is = read(cpu, index);
  if (is) value = *is;
  return is.has_value();
}

bool writeMsr(Cpu& cpu, std::uint32_t index, std::uint64_t value) {
  switch (Msr{index}) {
    case IA32_TIME_STAMP_COUNTER:
      return moveTsc(cpu, value - readTsc(cpu));
    case IA32_TSC_ADJUST:
      return moveTsc(cpu, value - cpu.system.tscAdjust);
    case IA32_TSC_DEADLINE:
      return writeDeadline(cpu, value);
    case IA32_APIC_BASE:
      return writeApicBase(cpu, value);
    case IA32_EFER:
      return writeEfer(cpu, value);
    case IA32_FS_BASE:
      return writeSegmentBase(cpu, SegmentName::fs, value);
    case IA32_GS_BASE:
      return writeSegmentBase(cpu, SegmentName::gs, value);
    case MSR_KVM_WALL_CLOCK:
    case MSR_KVM_WALL_CLOCK_NEW:
      return writeWallClock(cpu, value);
    case MSR_KVM_SYSTEM_TIME:
    case MSR_KVM_SYSTEM_TIME_NEW:
      return writeSystemTime(cpu, value);
    default:
      break;
  }
  if (isX2Apic(index)) {
    timerChanged(cpu);
    return cpu.around.chips.writeX2(cpu.around.index, index, value, readTsc(cpu));
  }
  return writeHeld(cpu, index, value) || constantTakes(index, value);
}

}  // namespace qm::soft
