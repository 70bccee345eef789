// MSRs in snapshots. Those of KVM's list that this CPU does not have stand here with what becomes of them.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "vmm/hypervisor/soft/chips/interrupt_fabric.h"
#include "vmm/hypervisor/soft/system/held_msrs.h"
#include "vmm/hypervisor/soft/system/kvm_clock.h"
#include "vmm/hypervisor/soft/system/msr_numbers.h"
#include "vmm/hypervisor/soft/system/msrs.h"
#include "vmm/hypervisor/soft/time/guest_clock.h"

namespace qm::soft {

namespace {

using enum Msr;

constexpr std::uint32_t numberOf(Msr msr) {
  return static_cast<std::uint32_t>(msr);
}

// Whose values change nothing that a guest of ours can see: read-only ones, switches of speculation and power, and
// places of features that no CPUID of ours offers.
constexpr std::array<std::uint32_t, 19> kDropped{
    0x34,         // SMI_COUNT
    0x3a,         // IA32_FEATURE_CONTROL: VMX, SGX
    0x48,         // IA32_SPEC_CTRL
    0x8b,         // the microcode's revision
    0x9e,         // IA32_SMBASE: no SMM here
    0xce,         // MSR_PLATFORM_INFO
    0xe1,         // IA32_UMWAIT_CONTROL
    0x10a,        // IA32_ARCH_CAPABILITIES
    0x122,        // IA32_TSX_CTRL
    0x140,        // MSR_MISC_FEATURES_ENABLES
    0x17b,        // IA32_MCG_CTL
    0x1fc,        // MSR_POWER_CTL
    0x4d0,        // IA32_MCG_EXT_CTL
    0xc000'0104,  // AMD's TSC_RATIO: of nested guests
    0xc001'0015,  // HWCR
    0xc001'0117,  // VM_HSAVE_PA: of nested guests
    0xc001'011f,  // VIRT_SPEC_CTRL
    0xc001'1029,  // DE_CFG
    0xc001'102a,  // BU_CFG2
};

bool isTime(std::uint32_t index) {
  return index == numberOf(IA32_TIME_STAMP_COUNTER) || index == numberOf(IA32_TSC_ADJUST);
}

Status refuse(const MsrValue& msr) {
  return Error(Remedy::fixInput,
               fmt::format("the CPU in software refuses the value {:#x} of MSR {:#x}", msr.value, msr.index));
}

Status loadOne(Cpu& cpu, const MsrValue& msr) {
  switch (Msr{msr.index}) {
    case IA32_TSC_DEADLINE:
      cpu.around.chips.setTscDeadline(cpu.around.index, msr.value, readTsc(cpu));
      return {};
    case MSR_KVM_WALL_CLOCK_NEW:
      cpu.system.kvmClock.wallClock = msr.value;
      return {};
    case MSR_KVM_SYSTEM_TIME_NEW:
      cpu.system.kvmClock.systemTime = msr.value;
      invalidateKvmClock(cpu);
      return {};
    default:
      break;
  }
  if (std::uint64_t* held = heldMsr(cpu.system, msr.index)) {
    if (!isLegalFor(cpu.system, msr.index, msr.value)) return refuse(msr);
    *held = msr.value;
    return {};
  }
  const bool isDropped = msr.value == 0 || std::ranges::find(kDropped, msr.index) != kDropped.end();
  return isDropped ? Status() : refuse(msr);
}

}  // namespace

std::vector<MsrValue> saveMsrs(Cpu& cpu) {
  const KvmClockState& clock = cpu.system.kvmClock;
  const std::uint64_t tsc = readTsc(cpu);
  std::vector<MsrValue> msrs{
      {numberOf(IA32_TIME_STAMP_COUNTER), tsc},
      {numberOf(IA32_TSC_ADJUST), cpu.system.tscAdjust},
      {numberOf(IA32_TSC_DEADLINE), cpu.around.chips.tscDeadline(cpu.around.index, tsc)},
      {numberOf(MSR_KVM_WALL_CLOCK_NEW), clock.wallClock},
      {numberOf(MSR_KVM_SYSTEM_TIME_NEW), clock.systemTime},
  };
  for (const Msr msr : keptHeldMsrs()) msrs.push_back({numberOf(msr), *heldMsr(cpu.system, numberOf(msr))});
  for (const std::uint32_t index : memoryTypeMsrs()) {
    const std::uint64_t value = *heldMsr(cpu.system, index);
    if (value != 0) msrs.push_back({index, value});
  }
  std::ranges::sort(msrs, {}, &MsrValue::index);
  return msrs;
}

Status loadTsc(Cpu& cpu, std::span<const MsrValue> msrs) {
  for (const MsrValue& msr : msrs) {
    if (msr.index == numberOf(IA32_TSC_ADJUST)) cpu.system.tscAdjust = msr.value;
    if (msr.index == numberOf(IA32_TIME_STAMP_COUNTER))
      cpu.system.tscOffset = cpu.around.clock.offsetFor(cpu.around.index, msr.value);
  }
  invalidateKvmClock(cpu);
  return {};
}

Status loadMsrs(Cpu& cpu, std::span<const MsrValue> msrs) {
  for (const MsrValue& msr : msrs) {
    if (!isTime(msr.index)) TRY(loadOne(cpu, msr));
  }
  return {};
}

}  // namespace qm::soft
