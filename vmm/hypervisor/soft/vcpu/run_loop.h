// The loop around the operations of one processor: what happens between blocks. Interrupts and exceptions are delivered
// here, sleepers sleep here, and what devices must answer leaves here.
// Threads: run() and all state are the vCPU thread's; raise() and kick() anybody's.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "vmm/hypervisor/exit.h"
#include "vmm/hypervisor/soft/blocks/block_cache.h"
#include "vmm/hypervisor/soft/chips/interrupt_fabric.h"
#include "vmm/hypervisor/soft/cpu/cpu.h"
#include "vmm/hypervisor/soft/settings/soft_settings.h"
#include "vmm/hypervisor/soft/system/events.h"
#include "vmm/hypervisor/state.h"
#include "vmm/result/result.h"

namespace qm::soft {

class RunLoop {
 public:
  RunLoop(Surroundings around, std::unique_ptr<BlockCache> blocks);

  VcpuExit run();
  // Answers the read that run() returned last.
  void completeRead(std::uint64_t value);
  // The instruction whose device access was answered is finished, so that the state is one between instructions. retry:
  // it has another access to make.
  Status settle();

  // Look at the world, the chips, who kicked; wakes a sleeper.
  void raise();
  void kick();

  Cpu& cpu() { return cpu_; }
  BlockCache& blocks() { return *blocks_; }
  RunState runState() const { return runState_; }
  void setRunState(RunState state) { runState_ = state; }
  // An event that a snapshot holds: delivered before anything else.
  void setInjected(std::optional<Fault> exception, std::optional<std::uint8_t> interrupt);
  const std::optional<Fault>& injectedException() const { return injectedException_; }
  const std::optional<std::uint8_t>& injectedInterrupt() const { return injectedInterrupt_; }
  // Told what was done, on the thread of run(), at each look around.
  void onCount(std::function<void(std::uint32_t vcpu, const SoftCounters&)> onCount) { onCount_ = std::move(onCount); }
  SoftCounters counters() const {
    return {.instructions = cpu_.instructions, .decoded = blocks_->decodedInstructions()};
  }
  // Once the chips know of this vCPU: to its state after power-up.
  void connect();

 private:
  class Running;

  std::optional<VcpuExit> lookAround();
  std::optional<VcpuExit> takeWork();
  void start(std::uint8_t vector);
  std::optional<VcpuExit> takeInterrupt(const CpuWork& work);
  std::optional<VcpuExit> sleep();
  std::optional<VcpuExit> deliverInjected();
  std::optional<VcpuExit> runSome();
  void stepAlone();
  std::optional<VcpuExit> handleStop(bool wasAlone);
  std::optional<VcpuExit> afterInstruction(std::uint64_t rflagsBefore);
  VcpuExit deviceExit();
  std::optional<VcpuExit> finish(Delivery delivery);
  bool mustStep();
  std::optional<std::uint64_t> nextMoment();
  std::int64_t quantum();
  void give(std::int64_t instructions);
  VcpuExit fault(std::string reason) const;

  Cpu cpu_;
  std::unique_ptr<BlockCache> blocks_;
  RunState runState_ = RunState::runnable;
  bool isReadUnanswered_ = false;
  bool mustBeAlone_ = false;
  std::optional<Fault> injectedException_;
  std::optional<std::uint8_t> injectedInterrupt_;
  std::function<void(std::uint32_t vcpu, const SoftCounters&)> onCount_;

  std::atomic<bool> kicked_ = false;
  std::mutex mutex_;  // protects nothing but the moment between looking and sleeping
  std::condition_variable woken_;
};

}  // namespace qm::soft
