#include "vmm/hypervisor/kvm/vcpu_state.h"

#include <linux/kvm.h>

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "vmm/hypervisor/kvm/array_calls.h"
#include "vmm/hypervisor/kvm/convert_events.h"
#include "vmm/hypervisor/kvm/convert_registers.h"
#include "vmm/hypervisor/kvm/extended_state.h"
#include "vmm/hypervisor/kvm/flexible.h"
#include "vmm/os/ioctl.h"

namespace qm::kvm {

namespace {

constexpr std::size_t kLvtTimer = 0x320, kInitialCount = 0x380, kCurrentCount = 0x390;  // of the local APIC

using MsrList = Flexible<MsrHeader, kvm_msr_entry>;

// Reads what can be read: KVM lists MSRs that it refuses for this guest's CPUID, stops there and says how far it came.
Result<std::vector<MsrValue>> saveMsrs(const FileDescriptor& vcpu, const std::vector<std::uint32_t>& wanted) {
  std::vector<MsrValue> values;
  std::size_t next = 0;
  while (next < wanted.size()) {
    const std::size_t count = wanted.size() - next;
    MsrList list(count);
    list.header()->nmsrs = static_cast<__u32>(count);
    for (std::size_t i = 0; i < count; ++i) list.entries()[i].index = wanted[next + i];
    const auto read = static_cast<std::size_t>(TRY(callIoctl(vcpu, kGetMsrs, list.header(), "KVM_GET_MSRS")));
    for (const kvm_msr_entry& entry : list.entries().first(read)) values.push_back({entry.index, entry.data});
    next += read + 1;  // past the one it refused, if it did
  }
  return values;
}

Status loadMsrs(const FileDescriptor& vcpu, const std::vector<MsrValue>& msrs) {
  MsrList list(msrs.size());
  list.header()->nmsrs = static_cast<__u32>(msrs.size());
  for (std::size_t i = 0; i < msrs.size(); ++i) {
    list.entries()[i].index = msrs[i].index;
    list.entries()[i].data = msrs[i].value;
  }
  const auto set = static_cast<std::size_t>(TRY(callIoctl(vcpu, kSetMsrs, list.header(), "KVM_SET_MSRS")));
  if (set == msrs.size()) return {};
  return Error(Remedy::fixInput,
               fmt::format("this host refuses the value {:#x} of MSR {:#x}", msrs[set].value, msrs[set].index));
}

// KVM takes a TSC that is written within a second of what its VM's TSCs show for an attempt to synchronise with them,
// and keeps theirs. For the boot processor of a guest that is younger than that it would be a step back; so its TSC is
// first set far away. The others are to be synchronised with it.
Status setTscApart(const FileDescriptor& vcpu, const CpuState& state) {
  constexpr std::uint32_t kTsc = 0x10;
  const auto tsc = std::ranges::find(state.msrs, kTsc, &MsrValue::index);
  if (tsc == state.msrs.end()) return {};
  const std::uint64_t minute = std::uint64_t{state.tscKhz} * 1000 * 60;
  return loadMsrs(vcpu, std::vector<MsrValue>{{.index = kTsc, .value = tsc->value + minute}});
}

Result<ExtendedState> saveExtended(const FileDescriptor& vcpu, const HostFeatures& features, const CpuidTable& cpuid) {
  ExtendedState state;
  std::vector<std::byte> buffer(features.xsaveBytes);
  if (features.xsave2) {
    TRY(callIoctl(vcpu, kGetXsave2, buffer.data(), "KVM_GET_XSAVE2"));
  } else {
    TRY(callIoctl(vcpu, kGetXsave, buffer.data(), "KVM_GET_XSAVE"));
  }
  normaliseXsave(buffer, cpuid);
  buffer.resize(std::min(buffer.size(), usedXsaveBytes(cpuid)));
  state.area = std::move(buffer);
  if (features.xcrs) {
    kvm_xcrs xcrs{};
    TRY(callIoctl(vcpu, KVM_GET_XCRS, &xcrs, "KVM_GET_XCRS"));
    if (xcrs.nr_xcrs > 0) state.xcr0 = xcrs.xcrs[0].value;
  }
  return state;
}

Status loadExtended(const FileDescriptor& vcpu, const HostFeatures& features, const ExtendedState& state) {
  if (state.area.size() > features.xsaveBytes) {
    return Error(Remedy::fixInput, fmt::format("the saved XSAVE area has {} bytes, this host's {}", state.area.size(),
                                               features.xsaveBytes));
  }
  if (features.xcrs) {
    kvm_xcrs xcrs{};
    xcrs.nr_xcrs = 1;
    xcrs.xcrs[0].value = state.xcr0;
    TRY(callIoctl(vcpu, KVM_SET_XCRS, &xcrs, "KVM_SET_XCRS"));
  }
  std::vector<std::byte> buffer(features.xsaveBytes);
  std::ranges::copy(state.area, buffer.begin());
  TRY(callIoctl(vcpu, kSetXsave, buffer.data(), "KVM_SET_XSAVE"));
  return {};
}

// A guest counts time by the TSC: at another frequency its clock would run wrong. Small differences are how hosts of
// one kind are calibrated; Linux itself takes 250 ppm as the same.
Status matchTscFrequency(const FileDescriptor& vcpu, const HostFeatures& features, std::uint32_t savedKhz) {
  const auto hostKhz = static_cast<std::uint32_t>(TRY(callIoctl(vcpu, KVM_GET_TSC_KHZ, 0, "KVM_GET_TSC_KHZ")));
  const std::uint32_t difference = hostKhz > savedKhz ? hostKhz - savedKhz : savedKhz - hostKhz;
  if (savedKhz == 0 || std::uint64_t{difference} * 1'000'000 <= std::uint64_t{savedKhz} * 250) return {};
  if (!features.tscControl) {
    return Error(
        Remedy::fixInput,
        fmt::format("the guest's TSC runs at {} kHz, this host's at {} kHz and cannot be scaled", savedKhz, hostKhz));
  }
  TRY(callIoctl(vcpu, KVM_SET_TSC_KHZ, static_cast<unsigned long>(savedKhz), "KVM_SET_TSC_KHZ"));
  return {};
}

}  // namespace

bool oneShotRanOut(const LocalApic& apic) {
  const auto at = [&apic](std::size_t offset) {
    std::uint32_t value = 0;
    std::memcpy(&value, apic.registers.data() + offset, sizeof value);
    return value;
  };
  constexpr std::uint32_t kModeMask = 3U << 17U;
  return (at(kLvtTimer) & kModeMask) == 0 && at(kInitialCount) != 0 && at(kCurrentCount) == 0;
}

void disarmTimer(LocalApic& apic) {
  std::memset(apic.registers.data() + kInitialCount, 0, 4);
}

Result<CpuState> saveVcpu(const FileDescriptor& vcpu, const HostFeatures& features, const CpuidTable& cpuid) {
  CpuState state;
  state.cpuid = cpuid;
  kvm_mp_state runState{};
  TRY(callIoctl(vcpu, KVM_GET_MP_STATE, &runState, "KVM_GET_MP_STATE"));
  state.runState = TRY(fromKvm(runState));
  state.tscKhz = static_cast<std::uint32_t>(TRY(callIoctl(vcpu, KVM_GET_TSC_KHZ, 0, "KVM_GET_TSC_KHZ")));
  kvm_regs registers{};
  TRY(callIoctl(vcpu, KVM_GET_REGS, &registers, "KVM_GET_REGS"));
  state.registers = fromKvm(registers);
  kvm_sregs system{};
  TRY(callIoctl(vcpu, KVM_GET_SREGS, &system, "KVM_GET_SREGS"));
  state.system = fromKvm(system);
  kvm_debugregs debug{};
  TRY(callIoctl(vcpu, KVM_GET_DEBUGREGS, &debug, "KVM_GET_DEBUGREGS"));
  state.debug = fromKvm(debug);
  state.extended = TRY(saveExtended(vcpu, features, cpuid));
  // The deadline before the APIC: a timer that fires in between is then in both or still armed, never in neither.
  state.msrs = TRY(saveMsrs(vcpu, features.msrs));
  kvm_lapic_state apic{};
  TRY(callIoctl(vcpu, KVM_GET_LAPIC, &apic, "KVM_GET_LAPIC"));
  static_assert(sizeof apic.regs == sizeof state.localApic.registers);
  std::memcpy(state.localApic.registers.data(), apic.regs, sizeof apic.regs);
  kvm_vcpu_events events{};
  TRY(callIoctl(vcpu, KVM_GET_VCPU_EVENTS, &events, "KVM_GET_VCPU_EVENTS"));
  state.events = fromKvm(events);
  return state;
}

Status loadVcpu(const FileDescriptor& vcpu, const HostFeatures& features, std::uint32_t index, const CpuState& state) {
  TRY(matchTscFrequency(vcpu, features, state.tscKhz));
  const kvm_sregs system = toKvm(state.system);
  TRY(callIoctl(vcpu, KVM_SET_SREGS, &system, "KVM_SET_SREGS"));
  const kvm_regs registers = toKvm(state.registers);
  TRY(callIoctl(vcpu, KVM_SET_REGS, &registers, "KVM_SET_REGS"));
  const kvm_debugregs debug = toKvm(state.debug);
  TRY(callIoctl(vcpu, KVM_SET_DEBUGREGS, &debug, "KVM_SET_DEBUGREGS"));
  TRY(loadExtended(vcpu, features, state.extended));
  LocalApic localApic = state.localApic;
  if (oneShotRanOut(localApic)) disarmTimer(localApic);
  kvm_lapic_state apic{};
  std::memcpy(apic.regs, localApic.registers.data(), sizeof apic.regs);
  TRY(callIoctl(vcpu, KVM_SET_LAPIC, &apic, "KVM_SET_LAPIC"));
  if (index == 0) TRY(setTscApart(vcpu, state));
  TRY(loadMsrs(vcpu, state.msrs));
  const kvm_mp_state runState = toKvm(state.runState);
  TRY(callIoctl(vcpu, KVM_SET_MP_STATE, &runState, "KVM_SET_MP_STATE"));
  const kvm_vcpu_events events = toKvm(state.events);
  TRY(callIoctl(vcpu, KVM_SET_VCPU_EVENTS, &events, "KVM_SET_VCPU_EVENTS"));
  return {};
}

}  // namespace qm::kvm
