// A thread that runs one vCPU: parked, running, or ended for good. Parked means that the vCPU is between instructions
// with no access half done, so that its state may be saved.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "vmm/bus/bus.h"
#include "vmm/hypervisor/hypervisor.h"

namespace qm {

// Why a machine came to its end.
enum class EndReason : std::uint8_t { reset, tripleFault, fault };

struct MachineEnd {
  EndReason reason = EndReason::reset;
  std::string detail;  // for people
};

struct VcpuThreadWiring {
  const Bus& ports;
  const Bus& mmio;
  // The vCPU cannot go on. From the vCPU's thread, which has parked for good.
  std::function<void(MachineEnd)> onEnd;
};

class VcpuThread {
 public:
  // Parked at first. `name` shows in the process's thread list.
  VcpuThread(std::unique_ptr<Vcpu> vcpu, VcpuThreadWiring wiring, std::string name);
  VcpuThread(const VcpuThread&) = delete;
  VcpuThread& operator=(const VcpuThread&) = delete;
  // Ends and joins.
  ~VcpuThread();

  // Any thread; waitUntilParked() not from this one. pause() only asks; waitUntilParked() waits for it.
  void resume();
  void pause();
  void waitUntilParked();

  // While parked.
  Vcpu& vcpu() { return *vcpu_; }

 private:
  enum class Wanted : std::uint8_t { parked, running, ended };

  void loop(const std::string& name);
  bool waitToRun();
  void ask(Wanted wanted);
  void handle(const MmioRead& exit);
  void handle(const MmioWrite& exit);
  void handle(const IoRead& exit);
  void handle(const IoWrite& exit);
  void handle(const Halted& exit);
  void handle(const Shutdown& exit);
  void handle(const SystemReset& exit);
  void handle(const Interrupted& exit);
  void handle(const Fault& exit);
  void end(MachineEnd end);

  std::unique_ptr<Vcpu> vcpu_;
  VcpuThreadWiring wiring_;
  std::mutex mutex_;  // protects the next three; nothing else is locked inside
  std::condition_variable changed_;
  Wanted wanted_ = Wanted::parked;
  bool parked_ = false;
  bool over_ = false;  // the thread's own: end() was called
  std::thread thread_;
};

}  // namespace qm
