#include "vmm/hypervisor/soft/soft_hypervisor.h"

#include <optional>

#include "vmm/hypervisor/soft/host/host_counter.h"
#include "vmm/hypervisor/soft/soft_vm.h"
#include "vmm/hypervisor/soft/system/cpuid.h"

namespace qm {

namespace {

class SoftHypervisor final : public Hypervisor {
 public:
  explicit SoftHypervisor(const SoftSettings& settings) : settings_(settings) {
    if (settings.clock == SoftClock::host && !settings.hostCounter) meter_.emplace();
  }

  std::string name() const override { return "soft"; }
  Result<CpuidTable> supportedCpuid() override { return soft::supportedCpuid(); }
  Result<std::unique_ptr<Vm>> createVm(PitModel pit) override {
    const soft::HostCounter counter = meter_ ? meter_->counter() : settings_.hostCounter.value_or(soft::HostCounter{});
    return soft::createVm(settings_, counter, pit);
  }

 private:
  SoftSettings settings_;
  std::optional<soft::HostCounterMeter> meter_;  // begins with the process, so that nothing waits for it later
};

}  // namespace

Result<std::unique_ptr<Hypervisor>> openSoft(const SoftSettings& settings) {
  TRY(soft::checkHost());
  return std::make_unique<SoftHypervisor>(settings);
}

}  // namespace qm
