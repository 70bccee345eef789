// One microVM: hypervisor, memory, buses, devices and vCPU threads, put together.
//
// Threads: every function is called on the event loop's thread, which also serves the devices, so a machine's actions
// and its devices' host sides never run at once. vCPUs have a thread each. Construction and destruction: loop thread
// too, or while the loop does not run.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "vmm/hypervisor/hypervisor.h"
#include "vmm/log/log.h"
#include "vmm/loop/event_loop.h"
#include "vmm/machine/machine_config.h"
#include "vmm/machine/machine_state.h"
#include "vmm/machine/vcpu_thread.h"
#include "vmm/memory/guest_memory.h"
#include "vmm/result/result.h"

namespace qm {

// What a machine is plugged into; all of it outlives the machine.
struct MachineWiring {
  Hypervisor& hypervisor;
  EventLoop& loop;
  const Log& log;
  // The first that each vCPU's thread does, before any instruction of the guest; empty: nothing.
  std::function<void()> onVcpuThread;
  // Why a vCPU came out of its guest, each time, before it is seen to. From that vCPU's thread; empty: nothing.
  std::function<void(std::size_t vcpu, const VcpuExit&)> onExit;
  // The guest's console output. From vCPU threads.
  std::function<void(std::span<const std::uint8_t>)> onConsole;
  // Once, on the loop thread: the guest has ended; one that asked for a reset did so with its last instruction. The
  // machine still exists; its owner decides what becomes of it.
  std::function<void(const MachineEnd&)> onEnd;
  // Where the hypervisor counts time in instructions, what devices do, and what the loop does besides, is done before
  // the vCPU that asked for it goes on. What is random about devices follows from this number; none: from the host.
  std::optional<std::uint64_t> seed;
  // On the loop thread, at the moment that setMoment() has named: the vCPU stands between two instructions, and goes on
  // when this has returned and the loop has nothing more to do. Whatever is done to the machine in here, a pause or a
  // save too, happens at just that instruction.
  std::function<void()> onMoment;
};

enum class RunPhase : std::uint8_t { paused, running, ended };

class Machine {
 public:
  // A machine at its kernel's first instruction, paused. A tap among `taps` goes before the one that the configuration
  // names. Errors name what does not fit.
  static Result<std::unique_ptr<Machine>> boot(const MachineConfig& config, MachineWiring wiring,
                                               std::vector<OpenTap> taps = {});
  // A machine as it was saved, paused. `memory` holds what its RAM held; the means' disks and taps go before those
  // of `config`, and prepared code that does not serve is passed over.
  static Result<std::unique_ptr<Machine>> restore(const MachineState& state, GuestMemory memory,
                                                  const RestoreConfig& config, MachineWiring wiring,
                                                  RestoreMeans means = {});
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;
  ~Machine();

  // Ends the machine and leaves what its RAM holds to whoever makes another in the same memory.
  static GuestMemory dismantle(std::unique_ptr<Machine> machine);

  // Both are idempotent. pause() returns when every vCPU is between instructions.
  Status resume();
  void pause();
  RunPhase phase() const;

  // Paused only (else fixInput). The machine can be resumed afterwards.
  Result<MachineState> save();
  GuestMemory& memory();
  // Of one vCPU; paused or ended (else fixInput).
  Result<CpuState> cpu(std::size_t index);

  // Of a machine that was restored to be observed; paused only (else fixInput). What it touched since.
  struct Observation {
    std::vector<std::uint64_t> written;  // a bit a page, as the memory file has them
    std::vector<std::byte> codeHints;    // CodePreparation::hints(); empty where code is not prepared
  };
  Result<Observation> observe();

  // Guest time, ns since the guest's boot, where the hypervisor counts it in instructions (else fixInput). While the
  // machine is paused, and in onMoment().
  Result<std::uint64_t> guestNs();
  // When onMoment() is called, once; at the next resumption if that moment is over; nothing: never. As guestNs().
  Status setMoment(std::optional<std::uint64_t> guestNs);

  void pressCtrlAltDel();
  // Host input to the console; answers how many bytes there was room for.
  std::size_t typeToConsole(std::span<const std::uint8_t> bytes);

  // From the first resume() to the guest's write to the boot timer; nothing before it.
  std::optional<std::chrono::nanoseconds> bootTime() const;
  // How often devices failed for what their drivers did.
  std::uint64_t deviceFailures() const;

 private:
  class Parts;
  explicit Machine(std::shared_ptr<Parts> parts);

  std::shared_ptr<Parts> parts_;  // shared with tasks that report the end
};

}  // namespace qm
