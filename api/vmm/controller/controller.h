// One VMM process's life: not started, then running or paused, then ended. Before the start a machine is configured,
// or a snapshot loaded; a machine that has ended does not come back. One that was loaded may be reset: it ends, and
// another, of the same snapshot or not, is loaded in its place.
//
// Differs from Firecracker in one point: after a snapshot that could not be loaded the process stays as it was, since
// nothing of a machine is left, and may be asked again.
//
// Threads: the event loop's only; construction and destruction also while the loop does not run.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "api/vmm/configuration/configuration.h"
#include "api/vmm/controller/controller_stage.h"
#include "api/vmm/controller/passport.h"
#include "api/vmm/request/answer.h"
#include "api/vmm/request/request.h"
#include "api/vmm/script/script_player.h"
#include "snapshot/file/load.h"
#include "vmm/hypervisor/soft/soft_hypervisor.h"
#include "vmm/machine/machine.h"
#include "vmm/memory/page_run.h"
#include "vmm/os/file_identity.h"
#include "vmm/slot/slot_writer.h"

namespace qm::vmm {

// All of it outlives the controller.
struct ControllerWiring {
  std::string id;
  EventLoop& loop;
  const Log& log;
  // Called when a machine is wanted for the first time.
  std::function<Result<std::unique_ptr<Hypervisor>>()> openHypervisor;
  SoftClock clock = SoftClock::host;   // that hypervisor's; with `instructions` a machine has one vCPU
  std::uint64_t seed = 0;              // of what is random, with `instructions`
  std::vector<script::Line> script;    // host input, with `instructions`
  std::function<void()> onVcpuThread;  // as in MachineWiring
  std::function<void(std::size_t, const VcpuExit&)> onExit;  // the same
  slot::Writer* slot = nullptr;                              // where it says how it goes; null: nobody looks
  // From vCPU threads.
  std::function<void(std::span<const std::uint8_t>)> onConsole;
  // The guest is no more, and what it said is to be forgotten; then comes another. Empty: nothing.
  std::function<void()> onReset;
  // When the guest has ended: with the program's exit code, 0 after a reset, else 1; or when the script ends the
  // program (0), or cannot go on (1). The first one counts.
  std::function<void(int)> onEnd;
};

// A snapshot to load whose files are open already, and what was learned of its clones.
struct OpenSnapshot {
  FileDescriptor state;
  FileDescriptor memory;
  std::vector<PageRun> memoryHoles;
  std::filesystem::path vsockPath;  // empty: the machine has none
  RestoreMeans means;
  WorkingSet workingSet;
};

class Controller {
 public:
  explicit Controller(ControllerWiring wiring) : wiring_(std::move(wiring)) {}
  Controller(const Controller&) = delete;
  Controller& operator=(const Controller&) = delete;

  Answer execute(const Request& request);
  // A network interface whose tap is open already.
  Answer attach(const NetConfig& net, FileDescriptor tap);
  // Restores the machine and lets it run; as LoadSnapshot with `resume`.
  Answer load(OpenSnapshot snapshot);
  // The same in place of a machine that was loaded so, of which nothing is left: its vCPUs, devices, connections and
  // what it wrote are gone before another is made. Memory of the same file stays mapped. After a failure there is no
  // machine.
  Answer reset(OpenSnapshot snapshot);
  // Pauses, and answers what a machine that was loaded to be observed has touched.
  Result<Machine::Observation> observe();
  // Whether a machine was started or restored, whatever became of it.
  bool hasMachine() const { return machine_ != nullptr; }

 private:
  using Microseconds = std::chrono::microseconds;
  // What it took to come to a running machine. None: that step was not taken.
  struct Times {
    std::optional<Microseconds> build, open, restore, resume;
  };

  class Loading;

  template <class Asked>
  Answer answer(const Asked& asked);
  // Nothing: a request of this kind is in order now.
  std::optional<Answer> refusal(Stage stage) const;
  Answer toldAs(const Passport& passport, Result<Answer> done) const;

  Result<Answer> handle(const DescribeInstance& asked);
  Result<Answer> handle(const DescribeVersion& asked);
  Result<Answer> handle(const DescribeShape& asked);
  Result<Answer> handle(const DescribeTimes& asked);
  Result<Answer> handle(const DescribeCounters& asked);
  Result<Answer> handle(const StartInstance& asked);
  Result<Answer> handle(const PressCtrlAltDel& asked);
  Result<Answer> handle(const Pause& asked);
  Result<Answer> handle(const Resume& asked);
  Result<Answer> handle(const CreateSnapshot& asked);
  Result<Answer> handle(const LoadSnapshot& asked);
  template <class Part>
  Result<Answer> handle(const Part& part);

  // `used`: of the machine that was here before.
  Result<Answer> loadOpen(OpenSnapshot snapshot, std::optional<GuestMemory> used);
  Result<Answer> resetOpen(OpenSnapshot snapshot);
  Result<snapshot::Loaded> open(const OpenSnapshot& snapshot, std::optional<GuestMemory> used);
  Status restore(snapshot::Loaded loaded, const RestoreConfig& devices, RestoreMeans means, Microseconds open);
  // For a machine of so many vCPUs.
  Result<MachineWiring> wire(std::size_t vcpus);
  Status resumeTimed();
  // Before the machine first runs. `vsockSocket`: empty: it has none.
  Status beginScript(script::Origin origin, std::filesystem::path vsockSocket);
  void playScript();
  Status resume();
  void pause();
  void tell(slot::State state);
  void end(const MachineEnd& end);

  ControllerWiring wiring_;
  Configuration configuration_;
  std::vector<OpenTap> taps_;  // for the machine that is being described
  Times times_;
  std::unique_ptr<Hypervisor> hypervisor_;  // outlives the machine
  std::unique_ptr<Machine> machine_;
  std::optional<FileIdentity> memoryFile_;  // of which the machine's memory is a private copy; none: it was booted
  std::optional<ControllerStage> stage_;    // of that machine
  std::optional<script::ScriptPlayer> player_;
};

}  // namespace qm::vmm
