#include "vmm/hypervisor/choice/choice.h"

#include <fmt/format.h>

#include "vmm/hypervisor/kvm/kvm_hypervisor.h"

namespace qm {

namespace {

Result<Decision> decideByProbes(const BackendProbes& probes) {
  const KvmKind kvm = TRY(probes.kvm());
  if (kvm.state == KvmState::hardware) return Decision{.backend = Backend::kvm, .reason = kvm.reason};
  const std::string why =
      fmt::format("this host's KVM is {}: {}", kvm.state == KvmState::absent ? "absent" : "emulated", kvm.reason);
  const Status soft = probes.soft();
  if (soft.has_value()) return Decision{.backend = Backend::soft, .reason = why};
  return Error(Remedy::giveUp, fmt::format("{}; and the CPU in software does not run here: {}; `quickmatch doctor` "
                                           "says what to do, --hypervisor kvm takes that KVM all the same",
                                           why, soft.error().text()));
}

}  // namespace

Result<HypervisorChoice> hypervisorNamed(std::string_view name) {
  if (name == "auto") return HypervisorChoice::automatic;
  if (name == "kvm") return HypervisorChoice::kvm;
  if (name == "soft") return HypervisorChoice::soft;
  return Error(Remedy::fixInput, fmt::format("there is no hypervisor \"{}\"; there are auto, kvm and soft", name));
}

std::string_view name(Backend backend) {
  return backend == Backend::kvm ? "kvm" : "soft";
}

Result<Decision> decide(HypervisorChoice choice, const BackendProbes& probes) {
  if (choice == HypervisorChoice::automatic) return decideByProbes(probes);
  const Backend named = choice == HypervisorChoice::kvm ? Backend::kvm : Backend::soft;
  return Decision{.backend = named, .reason = "asked for by name"};
}

Result<std::unique_ptr<Hypervisor>> openBackend(Backend backend, const SoftSettings& settings) {
  if (backend == Backend::kvm) return openKvm();
  return openSoft(settings);
}

}  // namespace qm
