#include "vmm/hypervisor/kvm/kvm_vm.h"

#include <linux/kvm.h>

#include <map>
#include <utility>

#include <fmt/format.h>

#include "vmm/hypervisor/kvm/convert_irqchip.h"
#include "vmm/hypervisor/kvm/kvm_vcpu.h"
#include "vmm/memory/dirty_bitmap.h"
#include "vmm/os/ioctl.h"
#include "vmm/result/check.h"

namespace qm::kvm {

namespace {

// Intel's VMX wants two places for itself in guest-physical space while the guest is in real mode; below the BIOS's,
// where no RAM of ours is.
constexpr unsigned long kTssAddress = 0xfffb'd000;
constexpr __u64 kIdentityMapAddress = 0xfffb'c000;

class KvmVm final : public Vm {
 public:
  KvmVm(FileDescriptor vm, std::shared_ptr<const HostFeatures> features, PitModel pit)
      : vm_(std::move(vm)), features_(std::move(features)), pit_(pit) {}

  Status setMemory(const MemorySlot& slot) override;
  Result<std::vector<std::uint64_t>> takeDirtyLog(std::uint32_t slotIndex) override;
  // The CPU's own caches are coherent.
  void deviceWrote(GuestAddress /*start*/, std::uint64_t /*bytes*/) override {}
  Result<std::unique_ptr<Vcpu>> createVcpu(std::uint32_t index) override {
    return kvm::createVcpu(vm_, features_, index);
  }
  Status setInterruptLine(std::uint32_t gsi, bool raised) override;
  Result<VmState> save() override;
  Status load(const VmState& state) override;
  bool hasEventfds() const override { return features_->eventfds; }
  Status attachDoorbell(GuestAddress address, const Eventfd& doorbell) override {
    return doorbellCall(address, doorbell, 0);
  }
  Status detachDoorbell(GuestAddress address, const Eventfd& doorbell) override {
    return doorbellCall(address, doorbell, KVM_IOEVENTFD_FLAG_DEASSIGN);
  }
  Status attachInterrupt(std::uint32_t gsi, const Eventfd& source) override;

 private:
  Status doorbellCall(GuestAddress address, const Eventfd& doorbell, std::uint32_t flags);
  Status setRegion(const MemorySlot& slot);
  Result<kvm_irqchip> getChip(std::uint32_t id);
  Status setChip(const kvm_irqchip& chip);

  FileDescriptor vm_;
  std::shared_ptr<const HostFeatures> features_;
  PitModel pit_;
  std::map<std::uint32_t, MemorySlot> slots_;
};

Status KvmVm::setRegion(const MemorySlot& slot) {
  kvm_userspace_memory_region region{};
  region.slot = slot.index;
  region.flags = slot.dirtyLogging == DirtyLogging::on ? KVM_MEM_LOG_DIRTY_PAGES : 0;
  region.guest_phys_addr = slot.start.value;
  region.memory_size = slot.host.size();
  region.userspace_addr = reinterpret_cast<std::uintptr_t>(slot.host.data());
  TRY(callIoctl(vm_, KVM_SET_USER_MEMORY_REGION, &region, "KVM_SET_USER_MEMORY_REGION"));
  return {};
}

// KVM changes a slot's place and its logging, but neither its size nor what is behind it: such a slot goes first. One
// that stays is changed as it is, so that running vCPUs never miss it.
Status KvmVm::setMemory(const MemorySlot& slot) {
  const auto taken = slots_.find(slot.index);
  if (taken != slots_.end()) {
    const std::span<std::byte> before = taken->second.host;
    const bool same = before.data() == slot.host.data() && before.size() == slot.host.size();
    if (!same) {
      TRY(setRegion({.index = slot.index}));
      slots_.erase(taken);
    }
  }
  if (slot.host.empty()) return {};
  TRY(setRegion(slot));
  slots_[slot.index] = slot;
  return {};
}

Result<std::vector<std::uint64_t>> KvmVm::takeDirtyLog(std::uint32_t slotIndex) {
  const auto found = slots_.find(slotIndex);
  CHECK(found != slots_.end());
  std::vector<std::uint64_t> bits((found->second.host.size() / kGuestPageBytes + 63) / 64);
  kvm_dirty_log log{};
  log.slot = slotIndex;
  log.dirty_bitmap = bits.data();
  TRY(callIoctl(vm_, KVM_GET_DIRTY_LOG, &log, "KVM_GET_DIRTY_LOG"));
  return bits;
}

Status KvmVm::setInterruptLine(std::uint32_t gsi, bool raised) {
  kvm_irq_level level{};
  level.irq = gsi;
  level.level = raised ? 1 : 0;
  TRY(callIoctl(vm_, KVM_IRQ_LINE, &level, "KVM_IRQ_LINE"));
  return {};
}

Result<kvm_irqchip> KvmVm::getChip(std::uint32_t id) {
  kvm_irqchip chip{};
  chip.chip_id = id;
  TRY(callIoctl(vm_, KVM_GET_IRQCHIP, &chip, "KVM_GET_IRQCHIP"));
  return chip;
}

Status KvmVm::setChip(const kvm_irqchip& chip) {
  TRY(callIoctl(vm_, KVM_SET_IRQCHIP, &chip, "KVM_SET_IRQCHIP"));
  return {};
}

Result<VmState> KvmVm::save() {
  VmState state;
  state.primaryPic = fromKvm(TRY(getChip(KVM_IRQCHIP_PIC_MASTER)).chip.pic);
  state.secondaryPic = fromKvm(TRY(getChip(KVM_IRQCHIP_PIC_SLAVE)).chip.pic);
  state.ioApic = fromKvm(TRY(getChip(KVM_IRQCHIP_IOAPIC)).chip.ioapic);
  state.hasPit = pit_ == PitModel::present;
  if (state.hasPit) {
    kvm_pit_state2 pit{};
    TRY(callIoctl(vm_, KVM_GET_PIT2, &pit, "KVM_GET_PIT2"));
    state.pit = fromKvm(pit);
  }
  kvm_clock_data clock{};
  TRY(callIoctl(vm_, KVM_GET_CLOCK, &clock, "KVM_GET_CLOCK"));
  state.clock.guestNs = clock.clock;
  state.clock.realtimeNs = (clock.flags & KVM_CLOCK_REALTIME) != 0 ? clock.realtime : 0;
  return state;
}

Status KvmVm::load(const VmState& state) {
  if (state.hasPit != (pit_ == PitModel::present)) {
    return Error(Remedy::fixInput, fmt::format("the state {} a PIT and this machine was made {} one",
                                               state.hasPit ? "has" : "lacks", state.hasPit ? "without" : "with"));
  }
  kvm_irqchip chip{};
  chip.chip_id = KVM_IRQCHIP_PIC_MASTER;
  chip.chip.pic = toKvm(state.primaryPic);
  TRY(setChip(chip));
  chip.chip_id = KVM_IRQCHIP_PIC_SLAVE;
  chip.chip.pic = toKvm(state.secondaryPic);
  TRY(setChip(chip));
  chip.chip_id = KVM_IRQCHIP_IOAPIC;
  chip.chip.ioapic = toKvm(state.ioApic);
  TRY(setChip(chip));
  if (state.hasPit) {
    const kvm_pit_state2 pit = toKvm(state.pit);
    TRY(callIoctl(vm_, KVM_SET_PIT2, &pit, "KVM_SET_PIT2"));
  }
  // Guest time goes on from where it stood; the wall clock is renewal's matter.
  kvm_clock_data clock{};
  clock.clock = state.clock.guestNs;
  TRY(callIoctl(vm_, KVM_SET_CLOCK, &clock, "KVM_SET_CLOCK"));
  return {};
}

Status KvmVm::doorbellCall(GuestAddress address, const Eventfd& doorbell, std::uint32_t flags) {
  kvm_ioeventfd call{};
  call.addr = address.value;
  call.len = 4;
  call.fd = doorbell.file().get();
  call.flags = flags;
  TRY(callIoctl(vm_, KVM_IOEVENTFD, &call, "KVM_IOEVENTFD"));
  return {};
}

Status KvmVm::attachInterrupt(std::uint32_t gsi, const Eventfd& source) {
  kvm_irqfd call{};
  call.fd = static_cast<__u32>(source.file().get());
  call.gsi = gsi;
  TRY(callIoctl(vm_, KVM_IRQFD, &call, "KVM_IRQFD"));
  return {};
}

}  // namespace

Result<std::unique_ptr<Vm>> createVm(const FileDescriptor& device, std::shared_ptr<const HostFeatures> features,
                                     PitModel pit) {
  FileDescriptor vm(TRY(callIoctl(device, KVM_CREATE_VM, 0, "KVM_CREATE_VM")));
  TRY(callIoctl(vm, KVM_SET_TSS_ADDR, kTssAddress, "KVM_SET_TSS_ADDR"));
  TRY(callIoctl(vm, KVM_SET_IDENTITY_MAP_ADDR, &kIdentityMapAddress, "KVM_SET_IDENTITY_MAP_ADDR"));
  TRY(callIoctl(vm, KVM_CREATE_IRQCHIP, 0, "KVM_CREATE_IRQCHIP"));
  if (pit == PitModel::present) {
    kvm_pit_config config{};
    config.flags = KVM_PIT_SPEAKER_DUMMY;  // port 0x61 reads as a PC's, which calibration loops look at
    TRY(callIoctl(vm, KVM_CREATE_PIT2, &config, "KVM_CREATE_PIT2"));
  }
  return std::make_unique<KvmVm>(std::move(vm), std::move(features), pit);
}

}  // namespace qm::kvm
