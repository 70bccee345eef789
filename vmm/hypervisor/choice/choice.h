// Which backend runs this host's guests, and why.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "vmm/hypervisor/hypervisor.h"
#include "vmm/hypervisor/kvm/probe.h"
#include "vmm/hypervisor/soft/soft_hypervisor.h"
#include "vmm/result/result.h"

namespace qm {

// What somebody asked for.
enum class HypervisorChoice : std::uint8_t {
  automatic,  // KVM once a probe guest ran at hardware speed, else the CPU in software
  kvm,        // these two untried
  soft,
};
Result<HypervisorChoice> hypervisorNamed(std::string_view name);  // "auto", "kvm", "soft"

// What it comes to on this host.
enum class Backend : std::uint8_t { kvm, soft };
std::string_view name(Backend backend);  // as hypervisorNamed() takes it, and as Hypervisor::name() has it

struct Decision {
  Backend backend = Backend::kvm;
  std::string reason;  // for people
  bool operator==(const Decision&) const = default;
};

// What a host is asked.
struct BackendProbes {
  std::function<Result<KvmKind>()> kvm = [] { return probeKvm(); };  // takes up to a second, so only for `automatic`
  std::function<Status()> soft = []() -> Status {
    TRY(openSoft());
    return {};
  };
};

// giveUp when neither runs here; the sentence says why for both. One that was asked for by name is found wanting by
// openBackend() only.
Result<Decision> decide(HypervisorChoice choice, const BackendProbes& probes = {});

// `settings` are the CPU in software's.
Result<std::unique_ptr<Hypervisor>> openBackend(Backend backend, const SoftSettings& settings = {});

}  // namespace qm
