#include "vmm/hypervisor/kvm/kvm_hypervisor.h"

#include <linux/kvm.h>

#include <array>
#include <utility>

#include <fmt/format.h>

#include "vmm/hypervisor/kvm/convert_cpuid.h"
#include "vmm/hypervisor/kvm/host_features.h"
#include "vmm/hypervisor/kvm/kick_signal.h"
#include "vmm/hypervisor/kvm/kvm_vm.h"
#include "vmm/os/ioctl.h"

namespace qm {

namespace {

class KvmHypervisor final : public Hypervisor {
 public:
  KvmHypervisor(FileDescriptor device, std::shared_ptr<const kvm::HostFeatures> features)
      : device_(std::move(device)), features_(std::move(features)) {}

  std::string name() const override { return "kvm"; }
  Result<CpuidTable> supportedCpuid() override { return features_->cpuid; }
  Result<std::unique_ptr<Vm>> createVm(PitModel pit) override { return kvm::createVm(device_, features_, pit); }

 private:
  FileDescriptor device_;
  std::shared_ptr<const kvm::HostFeatures> features_;
};

Status checkDemands(const FileDescriptor& device) {
  const int version = TRY(callIoctl(device, KVM_GET_API_VERSION, 0, "KVM_GET_API_VERSION"));
  if (version != KVM_API_VERSION)
    return Error(Remedy::giveUp, fmt::format("this KVM speaks version {} of its interface, not 12", version));
  constexpr std::array<std::pair<int, const char*>, 6> kDemands{{{KVM_CAP_IRQCHIP, "in-kernel interrupt controllers"},
                                                                 {KVM_CAP_USER_MEMORY, "user memory"},
                                                                 {KVM_CAP_SET_TSS_ADDR, "SET_TSS_ADDR"},
                                                                 {KVM_CAP_MP_STATE, "MP state"},
                                                                 {KVM_CAP_VCPU_EVENTS, "vCPU events"},
                                                                 {KVM_CAP_IMMEDIATE_EXIT, "immediate exit"}}};
  for (const auto& [capability, words] : kDemands) {
    const int there = TRY(callIoctl(device, KVM_CHECK_EXTENSION, capability, "KVM_CHECK_EXTENSION"));
    if (there == 0) return Error(Remedy::giveUp, fmt::format("this KVM lacks {}", words));
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Hypervisor>> openKvm(const std::filesystem::path& device) {
  FileDescriptor file = TRY(openFile(device, OpenMode::readWrite).during("opening KVM"));
  TRY(checkDemands(file));
  TRY(kvm::installKickSignal());
  kvm::HostFeatures features = TRY(kvm::readHostFeatures(file));
  return std::make_unique<KvmHypervisor>(std::move(file),
                                         std::make_shared<const kvm::HostFeatures>(std::move(features)));
}

}  // namespace qm
