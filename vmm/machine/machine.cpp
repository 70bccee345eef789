#include "vmm/machine/machine.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include <fmt/format.h>

#include "vmm/boot/boot.h"
#include "vmm/boot/command_line.h"
#include "vmm/machine/device_board.h"
#include "vmm/machine/virtio_devices.h"
#include "vmm/memory/layout.h"
#include "vmm/result/check.h"

namespace qm {

namespace {
constexpr std::uint32_t kMaxVcpus = 8;
constexpr std::uint64_t kPageBytes = 4096;
using SteadyClock = std::chrono::steady_clock;
}  // namespace

// Members in the order in which one needs the other: vCPU threads end first, then the devices go, then the VM.
class Machine::Parts : public std::enable_shared_from_this<Machine::Parts> {
 public:
  Parts(MachineWiring wiring, GuestMemory memory) : wiring_(std::move(wiring)), memory_(std::move(memory)) {}

  Status createVm();
  Status createVcpus(std::size_t count);
  Status plugDevices(std::vector<PlacedDevice> devices, const SerialState& serial = {}, const I8042State& i8042 = {});
  void startThreads();
  std::function<void(const VcpuExit&)> tellExits(std::size_t vcpu);
  Status loadKernel(const MachineConfig& config);
  Status resume();
  void pause();
  Result<MachineState> save();
  void adoptCode(const FileDescriptor& prepared);
  Result<Observation> observe();
  // The VM's, or fixInput.
  Result<InstructionClock*> instructionClock();
  // Any thread: the machine cannot go on. The first word counts.
  void end(MachineEnd end);
  // From a vCPU's thread, amid its access to the device that resets.
  void endByReset();

  // What the loop does while a vCPU that counts its instructions waits for it: in steps, each when the loop has nothing
  // else to do, the last of which calls `done`. A pause makes the rest void; the next resumption begins with an alarm,
  // whose steps are the longest and make good for all.
  using Done = std::function<void()>;
  using Step = void (Parts::*)(const Done& done);
  LoopErrand errand(Step first);
  EventLoop::Task unlessPaused(Step step, const Done& done);
  void serve(const Done& done);
  void goOn(const Done& done) { done(); }
  void comeToMoment(const Done& done);
  void meetMoment(const Done& done);
  void armAlarm(const Done& done);

  MachineWiring wiring_;
  GuestMemory memory_;
  std::string cpuTemplate_;
  DirtyLogging dirtyLogging_ = DirtyLogging::off;
  std::unique_ptr<Vm> vm_;
  std::unique_ptr<DeviceBoard> board_;
  std::vector<std::unique_ptr<Vcpu>> vcpus_;  // until their threads own them
  std::vector<std::unique_ptr<VcpuThread>> threads_;
  RunPhase phase_ = RunPhase::paused;
  std::atomic<std::uint64_t> pauses_ = 0;  // so far; counted by the loop while no vCPU runs
  std::optional<std::uint64_t> moment_;    // setMoment()'s, until it is met

  // Written by whichever vCPU runs init, once.
  std::atomic<std::int64_t> initRanNs_ = 0;  // of the steady clock; 0: not yet
  std::optional<SteadyClock::time_point> firstResume_;
};

Status Machine::Parts::createVm() {
  // No driver of ours needs the PIT: the guest's timers are the LAPIC's.
  vm_ = TRY(wiring_.hypervisor.createVm(PitModel::absent));
  std::uint32_t slot = 0;
  for (const GuestMemory::Region& region : memory_.regions())
    TRY(vm_->setMemory(
        {.index = slot++, .start = region.range.start, .host = region.host, .dirtyLogging = dirtyLogging_}));
  memory_.observeWrites([vm = vm_.get()](GuestAddress start, std::uint64_t bytes) { vm->deviceWrote(start, bytes); });
  return {};
}

Status Machine::Parts::createVcpus(std::size_t count) {
  for (std::uint32_t i = 0; i < count; ++i)
    vcpus_.push_back(TRY(vm_->createVcpu(i).during(fmt::format("creating vCPU {}", i))));
  return {};
}

Status Machine::Parts::plugDevices(std::vector<PlacedDevice> devices, const SerialState& serial,
                                   const I8042State& i8042) {
  board_ = TRY(DeviceBoard::create(
      {.vm = *vm_,
       .memory = memory_,
       .loop = wiring_.loop,
       .log = wiring_.log,
       .onConsole = wiring_.onConsole,
       .onReset = [this] { endByReset(); },
       .onInit =
           [this] {
             std::int64_t never = 0;
             initRanNs_.compare_exchange_strong(never, SteadyClock::now().time_since_epoch().count());
           },
       .doorbells = vm_->instructionClock() == nullptr ? Doorbells::watched : Doorbells::unwatched},
      std::move(devices), serial, i8042));
  return {};
}

void Machine::Parts::startThreads() {
  for (std::size_t i = 0; i < vcpus_.size(); ++i) {
    threads_.push_back(
        std::make_unique<VcpuThread>(std::move(vcpus_[i]),
                                     VcpuThreadWiring{.ports = board_->ports(),
                                                      .mmio = board_->mmio(),
                                                      .onThread = wiring_.onVcpuThread,
                                                      .onExit = tellExits(i),
                                                      .onEnd = [this](MachineEnd why) { end(std::move(why)); },
                                                      .serveDevices = errand(&Parts::serve),
                                                      .onAlarm = errand(&Parts::comeToMoment)},
                                     fmt::format("vcpu {}", i)));
  }
  vcpus_.clear();
}

std::function<void(const VcpuExit&)> Machine::Parts::tellExits(std::size_t vcpu) {
  if (!wiring_.onExit) return {};
  return [this, vcpu](const VcpuExit& exit) { wiring_.onExit(vcpu, exit); };
}

LoopErrand Machine::Parts::errand(Step first) {
  if (vm_->instructionClock() == nullptr) return {};
  return [this, first](const Done& done) { wiring_.loop.post(unlessPaused(first, done)); };
}

EventLoop::Task Machine::Parts::unlessPaused(Step step, const Done& done) {
  return [weak = weak_from_this(), pauses = pauses_.load(), step, done] {
    const std::shared_ptr<Parts> self = weak.lock();
    if (self == nullptr || self->pauses_ != pauses) return done();
    ((*self).*step)(done);
  };
}

// What devices tell the host may bring an answer, of a vsock's client for one, which belongs to the same moment.
void Machine::Parts::serve(const Done& done) {
  board_->serveAll();
  wiring_.loop.whenIdle(unlessPaused(&Parts::goOn, done));
}

// Before the machine's owner does anything, all is done that the guest has asked for.
void Machine::Parts::comeToMoment(const Done& done) {
  board_->serveAll();
  wiring_.loop.whenIdle(unlessPaused(&Parts::meetMoment, done));
}

void Machine::Parts::meetMoment(const Done& done) {
  if (!moment_ || *moment_ > vm_->instructionClock()->guestNs()) return armAlarm(done);
  moment_.reset();
  const std::uint64_t pauses = pauses_;
  if (wiring_.onMoment) wiring_.onMoment();
  if (pauses_ != pauses) return done();
  wiring_.loop.whenIdle(unlessPaused(&Parts::armAlarm, done));
}

void Machine::Parts::armAlarm(const Done& done) {
  vm_->instructionClock()->setAlarm(moment_);
  done();
}

Result<InstructionClock*> Machine::Parts::instructionClock() {
  if (InstructionClock* const clock = vm_->instructionClock()) return clock;
  return Error(Remedy::fixInput, "the machine's time is the host's; only one that counts instructions has moments");
}

Status Machine::Parts::loadKernel(const MachineConfig& config) {
  std::vector<boot::MmioDeviceHint> hints;
  std::set<std::uint32_t> levelPins;
  const std::size_t devices =
      config.blocks.size() + config.nets.size() + (config.vsock ? 1 : 0) + config.entropyDevices;
  for (std::size_t n = 0; n < devices; ++n) {
    const VirtioPlace place = virtioPlace(n);
    hints.push_back({.base = place.base, .gsi = place.gsi});
    levelPins.insert(place.gsi);
  }
  const FileDescriptor kernel = TRY(openFile(config.kernel, OpenMode::read).during("opening the kernel"));
  FileDescriptor initrd;
  if (!config.initrd.empty())
    initrd = TRY(openFile(config.initrd, OpenMode::read).during("opening the initial file system"));
  const boot::BootSource source{.kernel = kernel,
                                .initrd = initrd.isOpen() ? &initrd : nullptr,
                                .commandLine = TRY(boot::commandLine(config.bootArguments, hints)),
                                .vcpus = config.vcpus,
                                .levelPins = levelPins,
                                .protocol = config.protocol};
  const SystemRegisters reset = TRY(vcpus_[0]->systemRegisters());
  const boot::EntryState entry = TRY(boot::loadGuest(memory_, source, reset));
  return vcpus_[0]->setRegisters(entry.registers, entry.system);
}

Status Machine::Parts::resume() {
  if (phase_ == RunPhase::running) return {};
  if (phase_ == RunPhase::ended) return Error(Remedy::giveUp, "the machine has ended; start or restore another");
  for (const auto& thread : threads_) TRY(thread->vcpu().markResumed());
  if (InstructionClock* const clock = vm_->instructionClock()) {
    clock->setAlarm(0);
  } else {
    board_->kickAll();
  }
  if (!firstResume_) firstResume_ = SteadyClock::now();
  for (const auto& thread : threads_) thread->resume();
  phase_ = RunPhase::running;
  return {};
}

void Machine::Parts::pause() {
  for (const auto& thread : threads_) thread->pause();
  for (const auto& thread : threads_) thread->waitUntilParked();
  ++pauses_;
  if (phase_ == RunPhase::running) phase_ = RunPhase::paused;
}

Result<MachineState> Machine::Parts::save() {
  if (phase_ != RunPhase::paused) return Error(Remedy::fixInput, "the machine is not paused; pause it, then save it");
  MachineState state;
  state.memoryBytes = memory_.bytes();
  state.cpuTemplate = cpuTemplate_;
  state.hypervisor = wiring_.hypervisor.name();
  for (std::size_t i = 0; i < threads_.size(); ++i)
    state.cpus.push_back(TRY(threads_[i]->vcpu().save().during(fmt::format("saving vCPU {}", i))));
  state.vm = TRY(vm_->save());
  board_->save(state);
  return state;
}

// Without it the machine is as right, and slower.
void Machine::Parts::adoptCode(const FileDescriptor& prepared) {
  CodePreparation* const code = vm_->codePreparation();
  if (!prepared.isOpen() || code == nullptr) return;
  const Status adopted = code->adopt(prepared);
  if (!adopted.has_value()) wiring_.log.warning("vm.prepared_code_unused", {{"error", adopted.error().text()}});
}

Result<Machine::Observation> Machine::Parts::observe() {
  if (phase_ != RunPhase::paused || dirtyLogging_ == DirtyLogging::off)
    return Error(Remedy::fixInput, "the machine is not paused, or was not restored to be observed");
  Observation observation;
  const std::vector<std::vector<std::uint64_t>> byDevices = memory_.takeDeviceDirty();
  for (std::uint32_t slot = 0; slot < byDevices.size(); ++slot) {
    std::vector<std::uint64_t> pages = TRY(vm_->takeDirtyLog(slot));
    for (std::size_t word = 0; word < pages.size(); ++word) pages[word] |= byDevices[slot][word];
    observation.written.insert(observation.written.end(), pages.begin(), pages.end());
  }
  if (CodePreparation* const code = vm_->codePreparation()) observation.codeHints = code->hints();
  return observation;
}

void Machine::Parts::end(MachineEnd end) {
  wiring_.loop.post([weak = weak_from_this(), why = std::move(end)] {
    const std::shared_ptr<Parts> self = weak.lock();
    if (self == nullptr || self->phase_ == RunPhase::ended) return;
    self->pause();
    self->phase_ = RunPhase::ended;
    self->wiring_.onEnd(why);
  });
}

// Nothing comes after the instruction that asked for it: its thread parks as soon as that is done, not when the loop
// gets round to it.
void Machine::Parts::endByReset() {
  for (const auto& thread : threads_) thread->pause();
  end({.reason = EndReason::reset, .detail = "the guest reset the machine"});
}

Machine::Machine(std::shared_ptr<Parts> parts) : parts_(std::move(parts)) {}

Machine::~Machine() {
  // A task of end() may hold the parts a moment longer than us, but only on this very thread.
  parts_->pause();
}

GuestMemory Machine::dismantle(std::unique_ptr<Machine> machine) {
  Parts& parts = *machine->parts_;
  parts.pause();
  // In the order in which they would end by themselves.
  parts.threads_.clear();
  parts.board_.reset();
  parts.vm_.reset();
  return std::move(parts.memory_);
}

namespace {

Status checkConfig(const MachineConfig& config) {
  if (config.vcpus < 1 || config.vcpus > kMaxVcpus)
    return Error(Remedy::fixInput, fmt::format("a machine has 1 to {} vCPUs, not {}", kMaxVcpus, config.vcpus));
  if (config.memoryBytes < boot::kLeastMemoryBytes || config.memoryBytes % kPageBytes != 0) {
    return Error(Remedy::fixInput, fmt::format("a machine's memory is a multiple of 4 KiB and at least {} MiB, not {} "
                                               "bytes",
                                               boot::kLeastMemoryBytes >> 20U, config.memoryBytes));
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Machine>> Machine::boot(const MachineConfig& config, MachineWiring wiring,
                                               std::vector<OpenTap> taps) {
  TRY(checkConfig(config));
  GuestMemory memory = TRY(GuestMemory::anonymous(config.memoryBytes).during("making the guest's memory"));
  const auto parts = std::make_shared<Parts>(std::move(wiring), std::move(memory));
  parts->cpuTemplate_ = config.cpuTemplate;
  std::vector<PlacedDevice> devices =
      TRY(makeVirtioDevices(config, std::move(taps), parts->wiring_.loop, parts->wiring_.seed));
  const CpuidTable supported = TRY(parts->wiring_.hypervisor.supportedCpuid());
  TRY(parts->createVm());
  TRY(parts->createVcpus(config.vcpus));
  for (std::uint32_t i = 0; i < config.vcpus; ++i) {
    const CpuidTable cpuid = TRY(applyCpuTemplate(config.cpuTemplate, supported, i, config.vcpus));
    TRY(parts->vcpus_[i]->setCpuid(cpuid).during(fmt::format("setting vCPU {}'s CPUID", i)));
  }
  TRY(parts->loadKernel(config));
  TRY(parts->plugDevices(std::move(devices)));
  parts->startThreads();
  return std::unique_ptr<Machine>(new Machine(parts));
}

Result<std::unique_ptr<Machine>> Machine::restore(const MachineState& state, GuestMemory memory,
                                                  const RestoreConfig& config, MachineWiring wiring,
                                                  RestoreMeans means) {
  if (state.cpus.empty() || state.cpus.size() > kMaxVcpus || memory.bytes() != state.memoryBytes) {
    return Error(Remedy::fixInput,
                 fmt::format("the saved machine has {} vCPUs and {} bytes of memory, of which {} are there",
                             state.cpus.size(), state.memoryBytes, memory.bytes()));
  }
  const CpuidTable supported = TRY(wiring.hypervisor.supportedCpuid());
  for (const CpuState& cpu : state.cpus) TRY(checkCpuOffers(cpu.cpuid, supported));
  const auto parts = std::make_shared<Parts>(std::move(wiring), std::move(memory));
  parts->cpuTemplate_ = state.cpuTemplate;
  parts->dirtyLogging_ = means.observing == Observing::yes ? DirtyLogging::on : DirtyLogging::off;
  std::vector<PlacedDevice> devices =
      TRY(remakeVirtioDevices(state.virtioDevices, config, means, parts->wiring_.loop, parts->wiring_.seed));
  TRY(parts->createVm());
  TRY(parts->createVcpus(state.cpus.size()));
  for (std::size_t i = 0; i < state.cpus.size(); ++i) {
    TRY(parts->vcpus_[i]->setCpuid(state.cpus[i].cpuid));
    TRY(parts->vcpus_[i]->load(state.cpus[i]).during(fmt::format("restoring vCPU {}", i)));
  }
  TRY(parts->vm_->load(state.vm));
  parts->adoptCode(means.preparedCode);
  // Devices last: those with an interrupt to raise raise it again, at controllers that are in place.
  TRY(parts->plugDevices(std::move(devices), state.serial, state.i8042));
  parts->startThreads();
  return std::unique_ptr<Machine>(new Machine(parts));
}

Status Machine::resume() {
  return parts_->resume();
}
void Machine::pause() {
  parts_->pause();
}
RunPhase Machine::phase() const {
  return parts_->phase_;
}
Result<MachineState> Machine::save() {
  return parts_->save();
}
Result<CpuState> Machine::cpu(std::size_t index) {
  if (parts_->phase_ == RunPhase::running)
    return Error(Remedy::fixInput, "the machine runs; pause it, then look at its vCPUs");
  CHECK(index < parts_->threads_.size());
  return parts_->threads_[index]->vcpu().save();
}
Result<Machine::Observation> Machine::observe() {
  return parts_->observe();
}
Result<std::uint64_t> Machine::guestNs() {
  return TRY(parts_->instructionClock())->guestNs();
}
Status Machine::setMoment(std::optional<std::uint64_t> guestNs) {
  TRY(parts_->instructionClock());
  parts_->moment_ = guestNs;
  return {};
}
GuestMemory& Machine::memory() {
  return parts_->memory_;
}
void Machine::pressCtrlAltDel() {
  parts_->board_->i8042().pressCtrlAltDel();
}
std::size_t Machine::typeToConsole(std::span<const std::uint8_t> bytes) {
  return parts_->board_->serial().receive(bytes);
}

std::optional<std::chrono::nanoseconds> Machine::bootTime() const {
  const std::int64_t ranAt = parts_->initRanNs_.load();
  if (ranAt == 0 || !parts_->firstResume_) return std::nullopt;
  return std::chrono::nanoseconds(ranAt) - parts_->firstResume_->time_since_epoch();
}

std::uint64_t Machine::deviceFailures() const {
  return parts_->board_->failures();
}

}  // namespace qm
