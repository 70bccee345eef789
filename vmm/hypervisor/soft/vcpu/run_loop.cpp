#include "vmm/hypervisor/soft/vcpu/run_loop.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "vmm/hypervisor/soft/blocks/block_builder.h"
#include "vmm/hypervisor/soft/chips/interrupt_fabric.h"
#include "vmm/hypervisor/soft/cpu/debug.h"
#include "vmm/hypervisor/soft/cpu/handler.h"
#include "vmm/hypervisor/soft/memory/world.h"
#include "vmm/hypervisor/soft/system/events.h"
#include "vmm/hypervisor/soft/system/kvm_clock.h"
#include "vmm/hypervisor/soft/system/reset.h"
#include "vmm/hypervisor/soft/time/guest_clock.h"
#include "vmm/hypervisor/soft/vcpu/register_groups.h"
#include "vmm/result/check.h"

namespace qm::soft {

namespace {

// How many instructions run between two looks at the clock: some 50 microseconds.
constexpr std::int64_t kQuantum = 20'000;

}  // namespace

class RunLoop::Running {
 public:
  explicit Running(World& world) : world_(world) { world_.enter(); }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() { world_.leave(); }

 private:
  World& world_;
};

RunLoop::RunLoop(Surroundings around, std::unique_ptr<BlockCache> blocks) : cpu_(around), blocks_(std::move(blocks)) {
  cpu_.blocks = blocks_.get();
}

void RunLoop::connect() {
  resetCpu(cpu_, ResetKind::powerUp);
  runState_ = cpu_.around.index == 0 ? RunState::runnable : RunState::uninitialized;
}

void RunLoop::raise() {
  cpu_.attention.store(true, std::memory_order_release);
  // Whoever is between its look and its sleep holds the mutex.
  {
    const std::lock_guard lock(mutex_);
  }
  woken_.notify_all();
}

void RunLoop::kick() {
  kicked_.store(true, std::memory_order_release);
  raise();
}

VcpuExit RunLoop::run() {
  CHECK(!isReadUnanswered_);
  const Running running(cpu_.around.world);
  if (cpu_.devices.wanted) {  // a write, which has been made
    cpu_.devices.done.push_back(*std::exchange(cpu_.devices.wanted, std::nullopt));
  }
  for (;;) {
    // An instruction that devices have begun to answer is finished before anything else happens.
    if (!cpu_.devices.isUnderWay()) {
      if (std::optional<VcpuExit> exit = lookAround()) return *std::move(exit);
    }
    if (std::optional<VcpuExit> exit = runSome()) return *std::move(exit);
  }
}

// Nothing: the processor is to run.
std::optional<VcpuExit> RunLoop::lookAround() {
  for (;;) {
    if (onCount_) onCount_(cpu_.around.index, counters());
    cpu_.attention.store(false, std::memory_order_seq_cst);
    cpu_.around.world.yieldIfAsked();
    refreshKvmClock(cpu_);
    if (kicked_.exchange(false, std::memory_order_acq_rel)) return Interrupted{};
    if (takeAlarm(cpu_)) return Alarm{};
    if (injectedException_ || injectedInterrupt_) return deliverInjected();
    if (std::optional<VcpuExit> exit = takeWork()) return exit;
    if (runState_ == RunState::runnable) return std::nullopt;
    if (std::optional<VcpuExit> exit = sleep()) return exit;
  }
}

std::optional<VcpuExit> RunLoop::deliverInjected() {
  if (injectedException_) {
    cpu_.fault = *std::exchange(injectedException_, std::nullopt);
    return finish(deliverFault(cpu_));
  }
  return finish(deliverInterrupt(cpu_, *std::exchange(injectedInterrupt_, std::nullopt)));
}

// SDM 3A, table 6-2: INIT, then NMI, then maskable interrupts. All that waits is looked at: who sleeps is not told of
// it again.
std::optional<VcpuExit> RunLoop::takeWork() {
  InterruptFabric& chips = cpu_.around.chips;
  const std::uint32_t index = cpu_.around.index;
  while (chips.mayHaveWork(index, readTsc(cpu_))) {
    const CpuWork work = chips.work(index, readTsc(cpu_));
    if (work.init) {
      chips.takeInit(index);
      resetCpu(cpu_, ResetKind::init);
      runState_ = index == 0 ? RunState::runnable : RunState::initReceived;
    } else if (work.sipi) {
      chips.takeSipi(index);
      start(*work.sipi);
    } else {
      return takeInterrupt(work);
    }
  }
  return std::nullopt;
}

void RunLoop::start(std::uint8_t vector) {
  if (runState_ != RunState::initReceived && runState_ != RunState::uninitialized) return;
  startUp(cpu_, vector);
  runState_ = RunState::runnable;
}

std::optional<VcpuExit> RunLoop::takeInterrupt(const CpuWork& work) {
  InterruptFabric& chips = cpu_.around.chips;
  if (runState_ != RunState::runnable && runState_ != RunState::halted) return std::nullopt;
  if (cpu_.rip == cpu_.shadowRip) return std::nullopt;  // after the next instruction
  if (work.nmi && !cpu_.system.nmiMasked) {
    chips.takeNmi(cpu_.around.index);
    cpu_.system.nmiMasked = true;
    runState_ = RunState::runnable;
    return finish(deliverInterrupt(cpu_, static_cast<std::uint8_t>(Exception::nmi)));
  }
  if (!work.vector || (cpu_.rflags & rflags::kIf) == 0) return std::nullopt;
  const std::optional<std::uint8_t> vector = chips.acknowledge(cpu_.around.index);
  if (!vector) return std::nullopt;
  runState_ = RunState::runnable;
  return finish(deliverInterrupt(cpu_, *vector));
}

// Until raised, or until the timer runs out or the alarm comes. Without the world: nobody waits for a sleeper.
std::optional<VcpuExit> RunLoop::sleep() {
  const std::optional<std::uint64_t> deadline = nextMoment();
  if (deadline && cpu_.around.clock.kind() == SoftClock::instructions) {
    skipTo(cpu_, *deadline);
    return std::nullopt;
  }
  cpu_.around.world.leave();
  {
    std::unique_lock lock(mutex_);
    const auto isRaised = [this] { return cpu_.attention.load(std::memory_order_acquire); };
    if (deadline) {
      woken_.wait_until(lock, steadyTimeOf(cpu_, *deadline), isRaised);
    } else {
      woken_.wait(lock, isRaised);
    }
  }
  cpu_.around.world.enter();
  return std::nullopt;
}

// One instruction at a time: traps are wanted after each, breakpoints before it, an interrupt waits for the end of the
// shadow of STI, or the timer or the alarm is about to come where that is a matter of instructions.
bool RunLoop::mustStep() {
  return mustBeAlone_ || cpu_.devices.isUnderWay() || (cpu_.rflags & rflags::kTf) != 0 || cpu_.rip == cpu_.shadowRip ||
         hasInstructionBreakpoints(cpu_) || quantum() < 0;
}

// The vCPU's TSC when its timer runs out or its alarm comes, whichever is first; nothing: neither will by itself.
std::optional<std::uint64_t> RunLoop::nextMoment() {
  const bool hearsTimer = runState_ == RunState::runnable || runState_ == RunState::halted;
  const std::optional<std::uint64_t> timer =
      hearsTimer ? cpu_.around.chips.nextDeadline(cpu_.around.index) : std::nullopt;
  const std::optional<std::uint64_t> alarm = alarmTsc(cpu_);
  return timer && alarm ? std::min(timer, alarm) : alarm ? alarm : timer;
}

// What may be executed until the next look; less than nothing: it is one instruction. By instructions, no block may go
// beyond the one at which the timer runs out or the alarm comes: where blocks begin depends on who wrote to their page,
// and when.
std::int64_t RunLoop::quantum() {
  if (cpu_.around.clock.kind() == SoftClock::host) [[likely]]
    return kQuantum;
  const std::optional<std::uint64_t> moment = nextMoment();
  if (!moment) return kQuantum;
  constexpr std::int64_t kBlock = kMostInstructions;
  const std::uint64_t left = std::min<std::uint64_t>(instructionsUntil(cpu_, *moment), kQuantum + kBlock);
  return static_cast<std::int64_t>(left) - kBlock;
}

// None of them is counted as executed yet.
void RunLoop::give(std::int64_t instructions) {
  cpu_.budget = instructions;
  cpu_.budgetGiven = instructions;
}

std::optional<VcpuExit> RunLoop::runSome() {
  if (mustStep()) {
    mustBeAlone_ = false;
    if (!cpu_.devices.isUnderWay() && hitsInstructionBreakpoint(cpu_)) return finish(deliverFault(cpu_));
    const std::uint64_t before = cpu_.rflags;
    stepAlone();
    if (std::optional<VcpuExit> exit = handleStop(true)) return exit;
    return afterInstruction(before);
  }
  give(quantum());
  const Operation* block = blocks_->find(cpu_);
  if (block != nullptr) execute(cpu_, block);
  return handleStop(false);
}

void RunLoop::stepAlone() {
  forgetTraps(cpu_);
  cpu_.stepping = true;
  cpu_.devices.next = 0;
  cpu_.devices.wanted.reset();
  give(0);
  const Operation* instruction = blocks_->single(cpu_);
  if (instruction != nullptr) execute(cpu_, instruction);
  cpu_.stepping = false;
}

// What the operations stopped for; nothing: go on.
std::optional<VcpuExit> RunLoop::handleStop(bool wasAlone) {
  switch (std::exchange(cpu_.stop, Stop::none)) {
    case Stop::none:
      break;  // an operation that ended its block without saying where to go on
    case Stop::attention:
      cpu_.devices.done.clear();
      return std::nullopt;
    case Stop::retired:
      cpu_.devices.done.clear();
      if (std::exchange(cpu_.afterwards, Afterwards::nothing) == Afterwards::halt) runState_ = RunState::halted;
      return std::nullopt;
    case Stop::exception:
      forgetTraps(cpu_);
      cpu_.devices.done.clear();
      return finish(deliverFault(cpu_));
    case Stop::alone:
      CHECK(!wasAlone);
      mustBeAlone_ = true;
      return std::nullopt;
    case Stop::device:
      return deviceExit();
  }
  return fault("the CPU in software stopped for no reason that it knows");
}

// Traps of the instruction that was just done (SDM 3B, 17.3.1). RF ends with it, unless it was an IRET that set it for
// the next one.
std::optional<VcpuExit> RunLoop::afterInstruction(std::uint64_t rflagsBefore) {
  if (cpu_.devices.isUnderWay()) return std::nullopt;
  cpu_.rflags &= ~(rflagsBefore & rflags::kRf);
  if (!raisesDebugTrap(cpu_, rflagsBefore)) return std::nullopt;
  return finish(deliverFault(cpu_));
}

VcpuExit RunLoop::deviceExit() {
  const DeviceAccess& access = *cpu_.devices.wanted;
  isReadUnanswered_ = access.direction == DeviceAccess::Direction::read;
  if (access.space == DeviceAccess::Space::port) {
    const auto port = static_cast<std::uint16_t>(access.address);
    if (isReadUnanswered_) return IoRead{.port = port, .bytes = access.bytes};
    return IoWrite{.port = port, .bytes = access.bytes, .value = static_cast<std::uint32_t>(access.value)};
  }
  const GuestAddress address{access.address};
  if (isReadUnanswered_) return MmioRead{.address = address, .bytes = access.bytes};
  return MmioWrite{.address = address, .bytes = access.bytes, .value = access.value};
}

void RunLoop::completeRead(std::uint64_t value) {
  CHECK(isReadUnanswered_);
  isReadUnanswered_ = false;
  DeviceAccess access = *std::exchange(cpu_.devices.wanted, std::nullopt);
  access.value = value;
  cpu_.devices.done.push_back(access);
}

Status RunLoop::settle() {
  CHECK(!isReadUnanswered_);
  const Running running(cpu_.around.world);
  if (cpu_.devices.wanted) cpu_.devices.done.push_back(*std::exchange(cpu_.devices.wanted, std::nullopt));
  if (!cpu_.devices.isUnderWay()) return {};
  const DeviceAccesses before = cpu_.devices;
  stepAlone();
  if (cpu_.stop == Stop::device) {
    cpu_.devices = before;
    cpu_.stop = Stop::none;
    return Error(Remedy::retry,
                 "the vCPU is in the middle of an access that comes in parts: let it run to Interrupted");
  }
  if (handleStop(true)) return Error(Remedy::giveUp, "the guest ended while its last access was finished");
  return {};
}

void RunLoop::setInjected(std::optional<Fault> exception, std::optional<std::uint8_t> interrupt) {
  injectedException_ = exception;
  injectedInterrupt_ = interrupt;
}

std::optional<VcpuExit> RunLoop::finish(Delivery delivery) {
  switch (delivery) {
    case Delivery::done:
      return std::nullopt;
    case Delivery::tripleFault:
      return Shutdown{};
    case Delivery::notModelled:
      return fault(
          fmt::format("exception or interrupt outside 64-bit mode (exception {}), which the CPU in software "
                      "does not model",
                      static_cast<unsigned>(cpu_.fault.exception)));
    case Delivery::onDevice:
      return fault(
          fmt::format("the delivery of exception {} or of an interrupt reaches device memory, which the CPU in "
                      "software does not model",
                      static_cast<unsigned>(cpu_.fault.exception)));
  }
  return fault("an unknown outcome of a delivery");
}

VcpuExit RunLoop::fault(std::string reason) const {
  return qm::Fault{std::move(reason), saveRegisters(cpu_)};
}

}  // namespace qm::soft
