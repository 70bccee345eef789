#include "api/cli/doctor/hypervisor_check.h"

#include <fmt/format.h>

namespace qm::cli {

namespace {

Finding checkDecision(const Result<Decision>& decision) {
  if (decision.has_value()) {
    return {.what = "hypervisor",
            .found = fmt::format("auto takes {}, since {}", name(decision->backend), decision->reason)};
  }
  return {.what = "hypervisor",
          .state = Finding::State::missing,
          .found = "auto takes none",
          .remedy = "Cure one of the next two."};
}

}  // namespace

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
              .state = Finding::State::limited,
              .found = "emulated: " + probed->reason,
              .remedy =
                  "For guests at the CPU's own speed use a host that virtualises in hardware; this one's KVM "
                  "emulates the guest's kernel mode."};
    case KvmState::absent:
      break;
  }
  return {.what = "KVM",
          .state = Finding::State::limited,
          .found = "absent: " + probed->reason,
          .remedy =
              "For guests at the CPU's own speed load kvm_intel or kvm_amd, give this user the device (group "
              "kvm), or use a host that virtualises in hardware."};
}

Finding checkSoft(const Status& opened) {
  if (opened.has_value()) return {.what = "CPU in software", .found = "runs on this host's CPU"};
  return {.what = "CPU in software",
          .state = Finding::State::limited,
          .found = opened.error().text(),
          .remedy = "Use a host whose CPU has all of x86-64-v2 (SSE4.2, POPCNT, CMPXCHG16B), or KVM."};
}

std::vector<Finding> checkHypervisors(const Result<KvmKind>& probed, const Status& opened) {
  const BackendProbes probes{.kvm = [&] { return probed; }, .soft = [&] { return opened; }};
  return {checkDecision(decide(HypervisorChoice::automatic, probes)), checkKvm(probed), checkSoft(opened)};
}

}  // namespace qm::cli
