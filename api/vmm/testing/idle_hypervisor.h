// A hypervisor whose vCPUs do nothing until a test says which exit they have next. What is loaded into it is what it
// saves, so that a machine can be saved and restored without any KVM.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <utility>

#include "vmm/hypervisor/hypervisor.h"

namespace qm::test {

// The exits to come, of all vCPUs, and what VMs were told of. Any thread.
class Script {
 public:
  // Of RAM, so far, by whatever is no vCPU.
  std::atomic<std::uint64_t> bytesWritten = 0;

  void add(VcpuExit exit) {
    const std::lock_guard lock(mutex_);
    exits_.push_back(std::move(exit));
    changed_.notify_all();
  }
  // Waits for an exit or a kick, which is taken.
  VcpuExit next(bool& kicked) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return kicked || !exits_.empty(); });
    if (std::exchange(kicked, false)) return Interrupted{};
    VcpuExit exit = std::move(exits_.front());
    exits_.pop_front();
    return exit;
  }
  void kick(bool& kicked) {
    const std::lock_guard lock(mutex_);
    kicked = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;  // also of every vCPU's kicked flag
  std::condition_variable changed_;
  std::deque<VcpuExit> exits_;
};

class IdleVcpu final : public Vcpu {
 public:
  explicit IdleVcpu(Script& script) : script_(script) {
    constexpr std::size_t kLegacyXsaveBytes = 576;  // SDM 1, 13.4
    state_.extended.area.resize(kLegacyXsaveBytes);
  }
  Status setCpuid(const CpuidTable& cpuid) override {
    state_.cpuid = cpuid;
    return {};
  }
  VcpuExit run() override { return script_.next(kicked_); }
  void completeRead(std::uint64_t /*value*/) override {}
  void kick() override { script_.kick(kicked_); }
  Result<CpuState> save() override { return state_; }
  Status load(const CpuState& state) override {
    state_ = state;
    return {};
  }
  Status setRegisters(const Registers& registers, const SystemRegisters& system) override {
    state_.registers = registers;
    state_.system = system;
    return {};
  }
  Result<SystemRegisters> systemRegisters() override { return state_.system; }
  Result<Registers> registers() override { return state_.registers; }
  Status markResumed() override { return {}; }

 private:
  Script& script_;
  CpuState state_;
  bool kicked_ = false;
};

class IdleVm final : public Vm {
 public:
  explicit IdleVm(Script& script) : script_(script) {}
  Status setMemory(const MemorySlot& /*slot*/) override { return {}; }
  Result<std::vector<std::uint64_t>> takeDirtyLog(std::uint32_t /*slotIndex*/) override {
    return std::vector<std::uint64_t>{};
  }
  void deviceWrote(GuestAddress /*start*/, std::uint64_t bytes) override { script_.bytesWritten += bytes; }
  Result<std::unique_ptr<Vcpu>> createVcpu(std::uint32_t /*index*/) override {
    return std::make_unique<IdleVcpu>(script_);
  }
  Status setInterruptLine(std::uint32_t /*gsi*/, bool /*raised*/) override { return {}; }
  Result<VmState> save() override { return state_; }
  Status load(const VmState& state) override {
    state_ = state;
    return {};
  }
  bool hasEventfds() const override { return false; }
  Status attachDoorbell(GuestAddress /*address*/, const Eventfd& /*doorbell*/) override { return {}; }
  Status detachDoorbell(GuestAddress /*address*/, const Eventfd& /*doorbell*/) override { return {}; }
  Status attachInterrupt(std::uint32_t /*gsi*/, const Eventfd& /*source*/) override { return {}; }

 private:
  Script& script_;
  VmState state_;
};

class IdleHypervisor final : public Hypervisor {
 public:
  // The script outlives all that comes of it.
  explicit IdleHypervisor(Script& script) : script_(script) {}
  std::string name() const override { return "idle"; }
  Result<CpuidTable> supportedCpuid() override { return CpuidTable{}; }
  Result<std::unique_ptr<Vm>> createVm(PitModel /*pit*/) override { return std::make_unique<IdleVm>(script_); }

 private:
  Script& script_;
};

}  // namespace qm::test
