#include "api/cli/doctor/kvm_check.h"

namespace qm::cli {

Finding checkKvm(const Result<KvmKind>& probed) {
  if (!probed.has_value()) {
    return {.what = "KVM",
            .state = Finding::State::missing,
            .found = probed.error().text(),
            .remedy = "Free some memory and try again."};
  }
  switch (probed->state) {
    case KvmState::hardware:
      return {.what = "KVM", .found = "hardware: " + probed->reason};
    case KvmState::emulated:
      return {.what = "KVM",
              .state = Finding::State::missing,
              .found = "emulated: " + probed->reason,
              .remedy = "Use a host that virtualises in hardware; this one's KVM emulates the guest's kernel mode."};
    case KvmState::absent:
      break;
  }
  return {.what = "KVM",
          .state = Finding::State::missing,
          .found = "absent: " + probed->reason,
          .remedy =
              "Load kvm_intel or kvm_amd, give this user the device (group kvm), or use a host that virtualises "
              "in hardware."};
}

}  // namespace qm::cli
