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

using MsrList = Flexible<MsrHeader, kvm_msr_entry>;

constexpr std::uint32_t kTsc = 0x10, kTscDeadline = 0x6e0;

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

// The APIC's timer in deadline mode and unmasked (SDM 3A, 11.5.4.1; LVT timer at 0x320).
bool usesDeadlineTimer(const LocalApic& apic) {
  std::uint32_t lvt = 0;
  std::memcpy(&lvt, apic.registers.data() + 0x320, sizeof lvt);
  constexpr std::uint32_t kMasked = 1U << 16U, kModeMask = 3U << 17U, kDeadline = 2U << 17U;
  return (lvt & kModeMask) == kDeadline && (lvt & kMasked) == 0;
}

std::uint64_t valueOf(const std::vector<MsrValue>& msrs, std::uint32_t index) {
  const auto found = std::ranges::find(msrs, index, &MsrValue::index);
  return found == msrs.end() ? 0 : found->value;
}

Status loadMsrs(const FileDescriptor& vcpu, const CpuState& state) {
  MsrList list(state.msrs.size());
  list.header()->nmsrs = static_cast<__u32>(state.msrs.size());
  for (std::size_t i = 0; i < state.msrs.size(); ++i) {
    list.entries()[i].index = state.msrs[i].index;
    list.entries()[i].data = state.msrs[i].value;
    // A deadline of 0 is a timer that is off, or one that had expired and whose interrupt KVM held back when it was
    // read. Firing at once is harmless to the former and saves the latter.
    const bool expired =
        state.msrs[i].index == kTscDeadline && state.msrs[i].value == 0 && usesDeadlineTimer(state.localApic);
    if (expired) list.entries()[i].data = valueOf(state.msrs, kTsc);
  }
  const auto set = static_cast<std::size_t>(TRY(callIoctl(vcpu, kSetMsrs, list.header(), "KVM_SET_MSRS")));
  if (set == state.msrs.size()) return {};
  return Error(Remedy::fixInput, fmt::format("this host refuses the value {:#x} of MSR {:#x}", state.msrs[set].value,
                                             state.msrs[set].index));
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
  kvm_lapic_state apic{};
  TRY(callIoctl(vcpu, KVM_GET_LAPIC, &apic, "KVM_GET_LAPIC"));
  static_assert(sizeof apic.regs == sizeof state.localApic.registers);
  std::memcpy(state.localApic.registers.data(), apic.regs, sizeof apic.regs);
  state.msrs = TRY(saveMsrs(vcpu, features.msrs));
  kvm_vcpu_events events{};
  TRY(callIoctl(vcpu, KVM_GET_VCPU_EVENTS, &events, "KVM_GET_VCPU_EVENTS"));
  state.events = fromKvm(events);
  return state;
}

Status loadVcpu(const FileDescriptor& vcpu, const HostFeatures& features, const CpuState& state) {
  TRY(matchTscFrequency(vcpu, features, state.tscKhz));
  const kvm_sregs system = toKvm(state.system);
  TRY(callIoctl(vcpu, KVM_SET_SREGS, &system, "KVM_SET_SREGS"));
  const kvm_regs registers = toKvm(state.registers);
  TRY(callIoctl(vcpu, KVM_SET_REGS, &registers, "KVM_SET_REGS"));
  const kvm_debugregs debug = toKvm(state.debug);
  TRY(callIoctl(vcpu, KVM_SET_DEBUGREGS, &debug, "KVM_SET_DEBUGREGS"));
  TRY(loadExtended(vcpu, features, state.extended));
  kvm_lapic_state apic{};
  std::memcpy(apic.regs, state.localApic.registers.data(), sizeof apic.regs);
  TRY(callIoctl(vcpu, KVM_SET_LAPIC, &apic, "KVM_SET_LAPIC"));
  TRY(loadMsrs(vcpu, state));
  const kvm_mp_state runState = toKvm(state.runState);
  TRY(callIoctl(vcpu, KVM_SET_MP_STATE, &runState, "KVM_SET_MP_STATE"));
  const kvm_vcpu_events events = toKvm(state.events);
  TRY(callIoctl(vcpu, KVM_SET_VCPU_EVENTS, &events, "KVM_SET_VCPU_EVENTS"));
  return {};
}

}  // namespace qm::kvm
