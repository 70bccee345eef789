#include "vmm/hypervisor/kvm/requests.h"

#include <linux/kvm.h>

#include <array>
#include <utility>

#include "vmm/hypervisor/kvm/array_calls.h"

namespace qm::kvm {

namespace {

constexpr std::uint32_t number(unsigned long request) {
  return static_cast<std::uint32_t>(request);
}

constexpr std::array kOfLoop{
    // the device
    number(KVM_GET_API_VERSION), number(KVM_CHECK_EXTENSION), number(KVM_GET_VCPU_MMAP_SIZE), number(KVM_CREATE_VM),
    number(kGetSupportedCpuid), number(kGetMsrIndexList),
    // a machine
    number(KVM_SET_TSS_ADDR), number(KVM_SET_IDENTITY_MAP_ADDR), number(KVM_CREATE_IRQCHIP), number(KVM_CREATE_PIT2),
    number(KVM_CREATE_VCPU), number(KVM_SET_USER_MEMORY_REGION), number(KVM_GET_DIRTY_LOG), number(KVM_IRQ_LINE),
    number(KVM_GET_IRQCHIP), number(KVM_SET_IRQCHIP), number(KVM_GET_PIT2), number(KVM_SET_PIT2), number(KVM_GET_CLOCK),
    number(KVM_SET_CLOCK), number(KVM_IOEVENTFD), number(KVM_IRQFD),
    // a vCPU
    number(kSetCpuid), number(kGetMsrs), number(kSetMsrs), number(kGetXsave), number(kGetXsave2), number(kSetXsave),
    number(KVM_GET_XCRS), number(KVM_SET_XCRS), number(KVM_GET_TSC_KHZ), number(KVM_SET_TSC_KHZ),
    number(KVM_GET_MP_STATE), number(KVM_SET_MP_STATE), number(KVM_GET_REGS), number(KVM_SET_REGS),
    number(KVM_GET_SREGS), number(KVM_SET_SREGS), number(KVM_GET_DEBUGREGS), number(KVM_SET_DEBUGREGS),
    number(KVM_GET_LAPIC), number(KVM_SET_LAPIC), number(KVM_GET_VCPU_EVENTS), number(KVM_SET_VCPU_EVENTS),
    number(KVM_KVMCLOCK_CTRL), number(kSetSignalMask), number(KVM_RUN)};

// Registers for the report of a fault; the wire of a device that has no eventfd.
constexpr std::array kOfVcpu{number(KVM_RUN), number(KVM_GET_REGS), number(KVM_GET_SREGS), number(KVM_IRQ_LINE),
                             number(kSetSignalMask)};

// Eventfds are detached; a device that goes while it holds its line lets go of it (devices/line/shared_pin.h).
constexpr std::array kOfUndoing{number(KVM_IOEVENTFD), number(KVM_IRQFD), number(KVM_IRQ_LINE)};

}  // namespace

std::span<const std::uint32_t> requestsOf(Caller caller) {
  switch (caller) {
    case Caller::loop:
      return kOfLoop;
    case Caller::vcpu:
      return kOfVcpu;
    case Caller::undoing:
      return kOfUndoing;
  }
  std::unreachable();
}

}  // namespace qm::kvm
