#include "vmm/hypervisor/soft/soft_hypervisor.h"

#include "vmm/hypervisor/soft/soft_vm.h"
#include "vmm/hypervisor/soft/system/cpuid.h"

namespace qm {

namespace {

class SoftHypervisor final : public Hypervisor {
 public:
  explicit SoftHypervisor(const SoftSettings& settings) : settings_(settings) {}

  std::string name() const override { return "soft"; }
  Result<CpuidTable> supportedCpuid() override { return soft::supportedCpuid(); }
  Result<std::unique_ptr<Vm>> createVm(PitModel pit) override { return soft::createVm(settings_, pit); }

 private:
  SoftSettings settings_;
};

}  // namespace

Result<std::unique_ptr<Hypervisor>> openSoft(const SoftSettings& settings) {
  TRY(soft::checkHost());
  return std::make_unique<SoftHypervisor>(settings);
}

}  // namespace qm
