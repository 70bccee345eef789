// A vCPU of the CPU in software. See Vcpu for the contract.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "vmm/hypervisor/hypervisor.h"
#include "vmm/hypervisor/soft/cpu/cpu.h"
#include "vmm/hypervisor/soft/soft_hypervisor.h"
#include "vmm/hypervisor/soft/vcpu/run_loop.h"
#include "vmm/result/result.h"

namespace qm::soft {

class SoftVcpu final : public Vcpu {
 public:
  static Result<std::unique_ptr<SoftVcpu>> create(Surroundings around, BlockCache::OnUnmodelled onUnmodelled);

  Status setCpuid(const CpuidTable& cpuid) override;
  VcpuExit run() override { return loop_.run(); }
  void completeRead(std::uint64_t value) override { loop_.completeRead(value); }
  void kick() override { loop_.kick(); }
  Result<CpuState> save() override;
  Status load(const CpuState& state) override;
  Status setRegisters(const Registers& registers, const SystemRegisters& system) override;
  Result<SystemRegisters> systemRegisters() override;
  Result<Registers> registers() override;
  Status markResumed() override;

  ~SoftVcpu() override;
  SoftVcpu(const SoftVcpu&) = delete;
  SoftVcpu& operator=(const SoftVcpu&) = delete;

  RunLoop& loop() { return loop_; }
  // Told what it has done, as it goes.
  void onEnd(std::function<void(const SoftCounters&)> onEnd) { onEnd_ = std::move(onEnd); }

 private:
  SoftVcpu(Surroundings around, std::unique_ptr<BlockCache> blocks) : loop_(around, std::move(blocks)) {}

  RunLoop loop_;
  std::function<void(const SoftCounters&)> onEnd_;
};

}  // namespace qm::soft
