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

// Posts something to the loop, which calls `done` when it is done with it. From the vCPU's thread, which waits for
// that, or until it is to park.
using LoopErrand = std::function<void(const std::function<void()>& done)>;

struct VcpuThreadWiring {
  const Bus& ports;
  const Bus& mmio;
  std::function<void()> onThread;               // the first that the thread does; empty: nothing
  std::function<void(const VcpuExit&)> onExit;  // each, before it is handled; from the vCPU's thread; empty: nothing
  // The vCPU cannot go on. From the vCPU's thread, which has parked for good.
  std::function<void(MachineEnd)> onEnd;
  // After each write to a device: they do what their drivers have asked of them. Empty: they have their own time.
  LoopErrand serveDevices;
  // The alarm of the VM's InstructionClock. Empty: none is set.
  LoopErrand onAlarm;
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
  void sendFor(const LoopErrand& errand);
  void ask(Wanted wanted);
  void tellErrands(Wanted wanted);
  void handle(const MmioRead& exit);
  void handle(const MmioWrite& exit);
  void handle(const IoRead& exit);
  void handle(const IoWrite& exit);
  void handle(const Halted& exit);
  void handle(const Shutdown& exit);
  void handle(const SystemReset& exit);
  void handle(const Interrupted& exit);
  void handle(const Alarm& exit);
  void handle(const Fault& exit);
  void end(MachineEnd end);

  std::unique_ptr<Vcpu> vcpu_;
  VcpuThreadWiring wiring_;
  // What the vCPU waits for between two runs. Of its own, since the loop may come to `done` when the thread is gone.
  struct Errands {
    std::mutex mutex;
    std::condition_variable changed;
    std::uint64_t done = 0;
    bool isUnwanted = true;  // the thread is to park: who wants that may be the loop
  };
  std::shared_ptr<Errands> errands_ = std::make_shared<Errands>();
  std::uint64_t asked_ = 0;  // the thread's own

  std::mutex mutex_;  // protects the next three; nothing else is locked inside
  std::condition_variable changed_;
  Wanted wanted_ = Wanted::parked;
  bool parked_ = false;
  bool over_ = false;  // the thread's own: end() was called
  std::thread thread_;
};

}  // namespace qm
