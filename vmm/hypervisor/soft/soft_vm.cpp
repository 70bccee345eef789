#include "vmm/hypervisor/soft/soft_vm.h"

#include <utility>
#include <vector>

#include "vmm/hypervisor/soft/chips/interrupt_fabric.h"
#include "vmm/hypervisor/soft/memory/code_watch.h"
#include "vmm/hypervisor/soft/memory/physical_memory.h"
#include "vmm/hypervisor/soft/memory/tlb_flush.h"
#include "vmm/hypervisor/soft/memory/world.h"
#include "vmm/hypervisor/soft/soft_vcpu.h"
#include "vmm/hypervisor/soft/time/guest_clock.h"
#include "vmm/result/check.h"

namespace qm::soft {

namespace {

class SoftVm final : public Vm, private CodePreparation, private InstructionClock {
 public:
  SoftVm(const SoftSettings& settings, HostCounter counter, PitModel pit)
      : observer_(settings.observer),
        pit_(pit),
        seed_(settings.seed),
        code_(memory_, world_),
        clock_(settings.clock, counter),
        chips_(pit, clock_.tscKhz()) {}

  SoftVm(const SoftVm&) = delete;
  SoftVm& operator=(const SoftVm&) = delete;
  ~SoftVm() override {
    if (observer_.onEnd) observer_.onEnd(ended_);
  }

  Status setMemory(const MemorySlot& slot) override;
  Result<std::vector<std::uint64_t>> takeDirtyLog(std::uint32_t slotIndex) override;
  void deviceWrote(GuestAddress start, std::uint64_t bytes) override {
    code_.written(World::Caller::outside, start.value, bytes);
  }
  Result<std::unique_ptr<Vcpu>> createVcpu(std::uint32_t index) override;
  Status setInterruptLine(std::uint32_t gsi, bool raised) override {
    chips_.setLine(gsi, raised);
    return {};
  }
  Result<VmState> save() override;
  Status load(const VmState& state) override;

  CodePreparation* codePreparation() override { return this; }
  InstructionClock* instructionClock() override { return clock_.kind() == SoftClock::instructions ? this : nullptr; }

  bool hasEventfds() const override { return false; }
  Status attachDoorbell(GuestAddress, const Eventfd&) override { return noEventfds(); }
  Status detachDoorbell(GuestAddress, const Eventfd&) override { return noEventfds(); }
  Status attachInterrupt(std::uint32_t, const Eventfd&) override { return noEventfds(); }

 private:
  static Status noEventfds() { return Error(Remedy::fixInput, "the CPU in software has no eventfds"); }
  // Of the boot processor, at this moment.
  std::uint64_t bootTsc() const;
  std::uint64_t guestNs() override {
    bootTsc();
    return clock_.guestNs();
  }
  void setAlarm(std::optional<std::uint64_t> guestNs) override { clock_.setAlarm(guestNs); }
  std::vector<std::byte> hints() override;
  Status adopt(const FileDescriptor& prepared) override;
  Status adoptByAll(const FileDescriptor& prepared);

  SoftObserver observer_;
  SoftCounters ended_;  // of vCPUs that are gone
  PitModel pit_;
  std::uint64_t seed_;  // of the vCPUs' random numbers
  PhysicalMemory memory_;
  World world_;
  CodeWatch code_;
  GuestClock clock_;
  InterruptFabric chips_;
  std::vector<SoftVcpu*> vcpus_;  // by index; the machine owns them, and they end before this
};

Status SoftVm::setMemory(const MemorySlot& slot) {
  world_.standStill(World::Caller::outside, [&] {
    memory_.set(slot);
    for (SoftVcpu* vcpu : vcpus_) {
      flushAll(vcpu->loop().cpu());
      vcpu->loop().blocks().forgetAll();
    }
  });
  return {};
}

Result<std::vector<std::uint64_t>> SoftVm::takeDirtyLog(std::uint32_t slotIndex) {
  std::vector<std::uint64_t> log;
  world_.standStill(World::Caller::outside, [&] {
    PhysicalMemory::Slot* slot = memory_.slot(slotIndex);
    CHECK(slot != nullptr);
    log = slot->takeDirty();
    // What is written from here on must come by the walk again to be noticed.
    for (SoftVcpu* vcpu : vcpus_) {
      for (Tlb& tlb : vcpu->loop().cpu().tlbs) tlb.forgetWrites();
    }
  });
  return log;
}

Result<std::unique_ptr<Vcpu>> SoftVm::createVcpu(std::uint32_t index) {
  CHECK(index == vcpus_.size());
  std::unique_ptr<SoftVcpu> vcpu = TRY(SoftVcpu::create(
      {.memory = memory_, .world = world_, .code = code_, .chips = chips_, .clock = clock_, .index = index},
      observer_.onUnmodelled));
  SoftVcpu* const made = vcpu.get();
  made->loop().cpu().randomState = seed_ + index;
  chips_.addCpu(index, {.onWork = [made] { made->loop().raise(); }});
  made->loop().connect();
  made->loop().onCount(observer_.onCount);
  world_.add([made] { made->loop().cpu().attention.store(true, std::memory_order_release); });
  code_.add({.forgetCode = [made](std::uint64_t page) { made->loop().blocks().forgetPage(page); },
             .forgetWrites =
                 [made](const std::byte* page) {
                   for (Tlb& tlb : made->loop().cpu().tlbs) tlb.forgetWritesTo(reinterpret_cast<std::uintptr_t>(page));
                 }});
  vcpus_.push_back(made);
  made->onEnd([this](const SoftCounters& counters) {
    ended_.instructions += counters.instructions;
    ended_.decoded += counters.decoded;
  });
  return vcpu;
}

std::vector<std::byte> SoftVm::hints() {
  std::vector<CodeHint> all;
  world_.standStill(World::Caller::outside, [&] {
    for (SoftVcpu* vcpu : vcpus_) {
      const std::vector<CodeHint> some = vcpu->loop().blocks().hints(memory_);
      all.insert(all.end(), some.begin(), some.end());
    }
  });
  return encodeHints(all);
}

Status SoftVm::adopt(const FileDescriptor& prepared) {
  Status done;
  world_.standStill(World::Caller::outside, [&] {
    done = adoptByAll(prepared);
    if (done.has_value()) return;
    for (SoftVcpu* vcpu : vcpus_) vcpu->loop().blocks().forgetAll();
  });
  return done;
}

Status SoftVm::adoptByAll(const FileDescriptor& prepared) {
  for (SoftVcpu* vcpu : vcpus_) {
    BlockCache& blocks = vcpu->loop().blocks();
    TRY(blocks.adopt(prepared));
    for (Tlb& tlb : vcpu->loop().cpu().tlbs) tlb.forgetWrites();
    for (const PreparedPage& page : blocks.preparedPages()) {
      if (page.isEmpty()) continue;
      PhysicalMemory::Slot* slot = memory_.find(page.physical);
      if (slot == nullptr) return Error(Remedy::fixInput, "the prepared code is of a guest with more memory");
      slot->watch(page.physical);
    }
  }
  return {};
}

std::uint64_t SoftVm::bootTsc() const {
  return vcpus_.empty() ? 0 : readTsc(vcpus_[0]->loop().cpu());
}

Result<VmState> SoftVm::save() {
  VmState state;
  chips_.saveChips(state);
  state.clock = clock_.save();
  return state;
}

Status SoftVm::load(const VmState& state) {
  if (state.hasPit != (pit_ == PitModel::present))
    return Error(Remedy::fixInput, state.hasPit ? "the state has a PIT and this machine was made without one"
                                                : "the state lacks a PIT and this machine was made with one");
  chips_.loadChips(state, bootTsc());
  const std::uint64_t moved = clock_.load(state.clock);
  for (SoftVcpu* vcpu : vcpus_) vcpu->loop().cpu().system.tscOffset -= moved;
  return {};
}

}  // namespace

Result<std::unique_ptr<Vm>> createVm(const SoftSettings& settings, HostCounter counter, PitModel pit) {
  return std::make_unique<SoftVm>(settings, counter, pit);
}

}  // namespace qm::soft
