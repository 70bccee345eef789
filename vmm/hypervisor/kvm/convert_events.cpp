#include "vmm/hypervisor/kvm/convert_events.h"

#include <utility>

#include <fmt/format.h>

namespace qm::kvm {

PendingEvents fromKvm(const kvm_vcpu_events& from) {
  return {.exceptionInjected = from.exception.injected != 0,
          .exceptionPending = from.exception.pending != 0,
          .exceptionHasErrorCode = from.exception.has_error_code != 0,
          .exceptionHasPayload = from.exception_has_payload != 0,
          .exceptionVector = from.exception.nr,
          .exceptionErrorCode = from.exception.error_code,
          .exceptionPayload = from.exception_payload,
          .interruptInjected = from.interrupt.injected != 0,
          .interruptSoft = from.interrupt.soft != 0,
          .interruptVector = from.interrupt.nr,
          .shadowSti = (from.interrupt.shadow & KVM_X86_SHADOW_INT_STI) != 0,
          .shadowMovSs = (from.interrupt.shadow & KVM_X86_SHADOW_INT_MOV_SS) != 0,
          .nmiInjected = from.nmi.injected != 0,
          .nmiPending = from.nmi.pending != 0,
          .nmiMasked = from.nmi.masked != 0,
          .sipiVector = static_cast<std::uint8_t>(from.sipi_vector),
          .smmActive = from.smi.smm != 0,
          .smiPending = from.smi.pending != 0,
          .smmInsideNmi = from.smi.smm_inside_nmi != 0,
          .smiLatchedInit = from.smi.latched_init != 0,
          .tripleFaultPending = false};
}

kvm_vcpu_events toKvm(const PendingEvents& from) {
  kvm_vcpu_events to{};
  to.exception.injected = from.exceptionInjected;
  to.exception.nr = from.exceptionVector;
  to.exception.has_error_code = from.exceptionHasErrorCode;
  to.exception.error_code = from.exceptionErrorCode;
  to.interrupt.injected = from.interruptInjected;
  to.interrupt.soft = from.interruptSoft;
  to.interrupt.nr = from.interruptVector;
  to.interrupt.shadow = static_cast<__u8>((from.shadowSti ? KVM_X86_SHADOW_INT_STI : 0) |
                                          (from.shadowMovSs ? KVM_X86_SHADOW_INT_MOV_SS : 0));
  to.nmi.injected = from.nmiInjected;
  to.nmi.pending = from.nmiPending;
  to.nmi.masked = from.nmiMasked;
  to.sipi_vector = from.sipiVector;
  to.smi.smm = from.smmActive;
  to.smi.pending = from.smiPending;
  to.smi.smm_inside_nmi = from.smmInsideNmi;
  to.smi.latched_init = from.smiLatchedInit;
  to.flags = KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SIPI_VECTOR | KVM_VCPUEVENT_VALID_SHADOW |
             KVM_VCPUEVENT_VALID_SMM;
  return to;
}

Result<RunState> fromKvm(const kvm_mp_state& from) {
  switch (from.mp_state) {
    case KVM_MP_STATE_RUNNABLE:
      return RunState::runnable;
    case KVM_MP_STATE_UNINITIALIZED:
      return RunState::uninitialized;
    case KVM_MP_STATE_INIT_RECEIVED:
      return RunState::initReceived;
    case KVM_MP_STATE_HALTED:
      return RunState::halted;
    case KVM_MP_STATE_SIPI_RECEIVED:
      return RunState::sipiReceived;
    default:
      return Error(Remedy::giveUp,
                   fmt::format("KVM reports the run state {}, which this version does not know", from.mp_state));
  }
}

kvm_mp_state toKvm(RunState from) {
  switch (from) {
    case RunState::runnable:
      return {KVM_MP_STATE_RUNNABLE};
    case RunState::uninitialized:
      return {KVM_MP_STATE_UNINITIALIZED};
    case RunState::initReceived:
      return {KVM_MP_STATE_INIT_RECEIVED};
    case RunState::halted:
      return {KVM_MP_STATE_HALTED};
    case RunState::sipiReceived:
      return {KVM_MP_STATE_SIPI_RECEIVED};
  }
  std::unreachable();
}

}  // namespace qm::kvm
