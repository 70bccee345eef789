#include "api/vmm/controller/controller.h"

#include <algorithm>
#include <variant>

#include <fmt/format.h>

#include "snapshot/file/save.h"
#include "vmm/memory/prefault.h"
#include "vmm/os/stack.h"
#include "vmm/version/version.h"

namespace qm::vmm {

namespace {

// Answers the time since the last call, or since it was made.
class Stopwatch {
 public:
  std::chrono::microseconds lap() {
    const auto now = std::chrono::steady_clock::now();
    return std::chrono::duration_cast<std::chrono::microseconds>(now - std::exchange(last_, now));
  }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

std::string_view stateName(const Machine* machine) {
  if (machine == nullptr) return "Not started";
  return machine->phase() == RunPhase::running ? "Running" : "Paused";
}

// An override that fits nothing is a mistake of who asks: the device would be missed later.
Status checkOverrides(const MachineState& state, const RestoreConfig& devices) {
  const auto isSaved = [&](const std::string& id) {
    return std::ranges::find(state.virtioDevices, id, &VirtioDeviceState::id) != state.virtioDevices.end();
  };
  if (!std::ranges::all_of(devices.nets, isSaved, &NetConfig::id))
    return Error(Remedy::fixInput, "Unknown Network Device.");
  if (!std::ranges::all_of(devices.blocks, isSaved, &BlockConfig::id))
    return Error(Remedy::fixInput, "Unknown Block Device.");
  const bool hasVsock = std::ranges::any_of(state.virtioDevices, [](const VirtioDeviceState& device) {
    return std::holds_alternative<virtio::VsockState>(device.device);
  });
  if (!devices.vsockSocketPath.empty() && !hasVsock) return Error(Remedy::fixInput, "Unknown Vsock Device.");
  return {};
}

std::uint64_t pagesOf(std::span<const PageRun> runs) {
  std::uint64_t pages = 0;
  for (const PageRun& run : runs) pages += run.count;
  return pages;
}

Status checkUntouched(const Configuration& configuration) {
  if (!configuration.isTouched()) return {};
  return Error(Remedy::fixInput, "Loading a microVM snapshot not allowed after configuring boot-specific resources.");
}

}  // namespace

Answer Controller::execute(const Request& request) {
  return std::visit([this](const auto& asked) { return answer(asked); }, request);
}

template <class Asked>
Answer Controller::answer(const Asked& asked) {
  const Passport passport = passportOf(asked);
  if (auto refused = refusal(passport.stage)) return *std::move(refused);
  return toldAs(passport, handle(asked));
}

std::optional<Answer> Controller::refusal(Stage stage) const {
  if (stage == Stage::beforeStart && machine_ != nullptr)
    return fault("The requested operation is not supported after starting the microVM.");
  if (stage == Stage::afterStart && machine_ == nullptr)
    return fault("The requested operation is not supported before starting the microVM.");
  if (machine_ != nullptr && machine_->phase() == RunPhase::ended) return fault("The microVM has ended.");
  return std::nullopt;
}

Answer Controller::toldAs(const Passport& passport, Result<Answer> done) const {
  if (done.has_value()) return *std::move(done);
  wiring_.log.warning("request.failed", {{"error", done.error().text()}});
  return fault(fmt::format("{}{}", passport.family, done.error().text()));
}

Answer Controller::attach(const NetConfig& net, FileDescriptor tap) {
  Answer described = execute(net);
  if (described.status >= 300) return described;
  std::erase_if(taps_, [&net](const OpenTap& one) { return one.id == net.id; });
  taps_.push_back({.id = net.id, .tap = std::move(tap)});
  return described;
}

Answer Controller::load(OpenSnapshot snapshot) {
  const Passport passport = passportOf(LoadSnapshot{});
  if (auto refused = refusal(passport.stage)) return *std::move(refused);
  return toldAs(passport, loadOpen(std::move(snapshot), std::nullopt));
}

Answer Controller::reset(OpenSnapshot snapshot) {
  if (auto refused = refusal(Stage::afterStart)) return *std::move(refused);
  return toldAs({.stage = Stage::afterStart, .family = "Reset error: "}, resetOpen(std::move(snapshot)));
}

Result<Answer> Controller::handle(const DescribeInstance& /*asked*/) {
  return found({{"id", wiring_.id},
                {"state", stateName(machine_.get())},
                {"vmm_version", kVersion},
                {"app_name", "Quickmatch"}});
}

Result<Answer> Controller::handle(const DescribeVersion& /*asked*/) {
  return found({{"firecracker_version", kVersion}});
}

Result<Answer> Controller::handle(const DescribeShape& /*asked*/) {
  const MachineShape& shape = configuration_.shape();
  return found({{"vcpu_count", shape.vcpus},
                {"mem_size_mib", shape.memoryMib},
                {"smt", false},
                {"cpu_template", shape.cpuTemplate},
                {"track_dirty_pages", false}});
}

Result<Answer> Controller::handle(const DescribeTimes& /*asked*/) {
  boost::json::object times;
  const auto add = [&times](std::string_view name, const std::optional<Microseconds>& time) {
    if (time) times[name] = time->count();
  };
  add("build_us", times_.build);
  add("snapshot_open_us", times_.open);
  add("restore_us", times_.restore);
  add("resume_us", times_.resume);
  if (machine_ != nullptr) {
    if (const auto boot = machine_->bootTime()) add("boot_time_us", std::chrono::duration_cast<Microseconds>(*boot));
  }
  return found(times);
}

Result<Answer> Controller::handle(const DescribeCounters& /*asked*/) {
  return found({{"device_failures", machine_ == nullptr ? 0 : machine_->deviceFailures()}});
}

template <class Part>
Result<Answer> Controller::handle(const Part& part) {
  TRY(configuration_.set(part));
  return Answer{};
}

Result<MachineWiring> Controller::wire(std::size_t vcpus) {
  if (wiring_.clock == SoftClock::instructions && vcpus > 1)
    return Error(Remedy::fixInput, fmt::format("with --clock instructions a machine has one vCPU, not {}", vcpus));
  if (hypervisor_ == nullptr) hypervisor_ = TRY(wiring_.openHypervisor());
  return MachineWiring{.hypervisor = *hypervisor_,
                       .loop = wiring_.loop,
                       .log = wiring_.log,
                       .onVcpuThread = wiring_.onVcpuThread,
                       .onExit = wiring_.onExit,
                       .onConsole = wiring_.onConsole,
                       .onEnd = [this](const MachineEnd& why) { end(why); },
                       .seed = wiring_.clock == SoftClock::instructions ? std::optional(wiring_.seed) : std::nullopt,
                       .onMoment = [this] { playScript(); }};
}

Status Controller::beginScript(script::Origin origin, std::filesystem::path vsockSocket) {
  if (wiring_.script.empty()) return {};
  stage_.emplace(*machine_, std::move(vsockSocket), wiring_.onEnd);
  player_.emplace(wiring_.script, kAgentPort, wiring_.loop, wiring_.log, *stage_);
  const std::uint64_t guestNs = TRY(machine_->guestNs());
  return machine_->setMoment(TRY(player_->begin(origin, guestNs)));
}

// A script that cannot be played as it stands is no experiment any more.
void Controller::playScript() {
  const Status played = [this]() -> Status {
    const std::uint64_t guestNs = TRY(machine_->guestNs());
    return machine_->setMoment(TRY(player_->play(guestNs)));
  }();
  if (played.has_value()) return;
  wiring_.log.error("script.failed", {{"error", played.error().text()}});
  machine_->pause();
  wiring_.onEnd(1);
}

void Controller::tell(slot::State state) {
  if (wiring_.slot != nullptr) wiring_.slot->move(state);
}

// Says so while it is being done, and afterwards what came of it.
class Controller::Loading {
 public:
  explicit Loading(Controller& controller) : controller_(controller) { controller_.tell(slot::State::loading); }
  Loading(const Loading&) = delete;
  Loading& operator=(const Loading&) = delete;
  ~Loading() {
    const bool isLoaded = controller_.hasMachine();
    if (isLoaded && controller_.wiring_.slot != nullptr) controller_.wiring_.slot->mark(slot::Moment::loaded);
    controller_.tell(isLoaded ? slot::State::paused : slot::State::blank);
  }

 private:
  Controller& controller_;
};

// Before it runs: whoever sees it at work sees it running.
Status Controller::resume() {
  if (machine_->phase() == RunPhase::paused) tell(slot::State::running);
  return machine_->resume();
}

void Controller::pause() {
  machine_->pause();
  if (machine_->phase() == RunPhase::paused) tell(slot::State::paused);
}

Status Controller::resumeTimed() {
  Stopwatch watch;
  TRY(resume());
  times_.resume = watch.lap();
  return {};
}

Result<Answer> Controller::handle(const StartInstance& /*asked*/) {
  const MachineConfig config = TRY(configuration_.machine());
  Stopwatch watch;
  {
    const Loading loading(*this);
    MachineWiring wiring = TRY(wire(config.vcpus));
    machine_ = TRY(Machine::boot(config, std::move(wiring), std::exchange(taps_, {})));
  }
  times_.build = watch.lap();
  TRY(beginScript(script::Origin::boot, config.vsock ? config.vsock->socketPath : std::filesystem::path()));
  TRY(resumeTimed());
  wiring_.log.info("vm.started", {{"id", wiring_.id},
                                  {"vcpus", config.vcpus},
                                  {"memory_mib", config.memoryBytes >> 20U},
                                  {"build_us", times_.build->count()}});
  return Answer{};
}

Result<Answer> Controller::handle(const PressCtrlAltDel& /*asked*/) {
  machine_->pressCtrlAltDel();
  return Answer{};
}

Result<Answer> Controller::handle(const Pause& /*asked*/) {
  pause();
  return Answer{};
}

Result<Answer> Controller::handle(const Resume& /*asked*/) {
  TRY(resume());
  return Answer{};
}

Result<Answer> Controller::handle(const CreateSnapshot& asked) {
  Stopwatch watch;
  const MachineState state = TRY(machine_->save());
  TRY(snapshot::saveFiles(state, machine_->memory(), asked.state, asked.memory));
  wiring_.log.info("vm.saved", {{"id", wiring_.id}, {"us", watch.lap().count()}});
  return Answer{};
}

Result<Answer> Controller::handle(const LoadSnapshot& asked) {
  TRY(checkUntouched(configuration_));
  Stopwatch watch;
  {
    const Loading loading(*this);
    snapshot::Loaded loaded = TRY(snapshot::loadFiles(asked.state, asked.memory));
    TRY(restore(std::move(loaded), asked.devices, {}, watch.lap()));
  }
  if (asked.resume) TRY(resumeTimed());
  return Answer{};
}

Result<Answer> Controller::loadOpen(OpenSnapshot snapshot, std::optional<GuestMemory> used) {
  TRY(checkUntouched(configuration_));
  Stopwatch watch;
  {
    const Loading loading(*this);
    snapshot::Loaded loaded = TRY(open(snapshot, std::move(used)));
    prefault(loaded.memory, snapshot.workingSet);
    if (wiring_.slot != nullptr) wiring_.slot->populated(pagesOf(snapshot.workingSet.written));
    TRY(restore(std::move(loaded), {.vsockSocketPath = std::move(snapshot.vsockPath)}, std::move(snapshot.means),
                watch.lap()));
  }
  TRY(resumeTimed());
  return Answer{};
}

Result<Answer> Controller::resetOpen(OpenSnapshot snapshot) {
  if (!memoryFile_) return Error(Remedy::fixInput, "The microVM was not loaded over the control channel.");
  times_ = {};
  Stopwatch watch;
  pause();
  player_.reset();
  stage_.reset();
  GuestMemory used = Machine::dismantle(std::move(machine_));
  // Devices worked on this thread, with buffers of 16 KiB and calls that are not deep.
  wipeStackBelow<std::size_t{128} * 1024>();
  if (wiring_.onReset) wiring_.onReset();
  wiring_.log.info("vm.dismantled", {{"id", wiring_.id}, {"us", watch.lap().count()}});
  return loadOpen(std::move(snapshot), std::move(used));
}

Result<snapshot::Loaded> Controller::open(const OpenSnapshot& snapshot, std::optional<GuestMemory> used) {
  const FileIdentity file = TRY(identityOf(snapshot.memory));
  if (used && memoryFile_ == file) {
    TRY(used->revert());
    return snapshot::loadInto(snapshot.state, *std::move(used));
  }
  memoryFile_ = file;
  return snapshot::loadOpen(snapshot.state, snapshot.memory, snapshot.memoryHoles);
}

Result<Machine::Observation> Controller::observe() {
  if (machine_ == nullptr || machine_->phase() == RunPhase::ended)
    return Error(Remedy::fixInput, "There is no machine to observe.");
  pause();
  return machine_->observe();
}

Status Controller::restore(snapshot::Loaded loaded, const RestoreConfig& devices, RestoreMeans means,
                           Microseconds open) {
  TRY(checkOverrides(loaded.state, devices));
  Stopwatch watch;
  MachineWiring wiring = TRY(wire(loaded.state.cpus.size()));
  machine_ =
      TRY(Machine::restore(loaded.state, std::move(loaded.memory), devices, std::move(wiring), std::move(means)));
  times_.open = open;
  times_.restore = watch.lap();
  wiring_.log.info("vm.restored", {{"id", wiring_.id},
                                   {"vcpus", loaded.state.cpus.size()},
                                   {"memory_mib", loaded.state.memoryBytes >> 20U},
                                   {"open_us", open.count()},
                                   {"restore_us", times_.restore->count()}});
  return beginScript(script::Origin::snapshot, devices.vsockSocketPath);
}

void Controller::end(const MachineEnd& end) {
  const bool isReset = end.reason == EndReason::reset;
  const auto bootTime = machine_->bootTime();
  const std::string bootUs =
      bootTime ? fmt::format("{}", std::chrono::duration_cast<Microseconds>(*bootTime).count()) : "none";
  if (isReset) {
    wiring_.log.info("vm.ended", {{"id", wiring_.id}, {"reason", end.detail}, {"boot_time_us", bootUs}});
  } else {
    wiring_.log.error("vm.failed", {{"id", wiring_.id}, {"reason", end.detail}, {"boot_time_us", bootUs}});
  }
  tell(slot::State::ended);
  wiring_.onEnd(isReset ? 0 : 1);
}

}  // namespace qm::vmm
