#include "vmm/hypervisor/soft/chips/interrupt_fabric.h"

#include <mutex>
#include <utility>

#include "vmm/hypervisor/soft/chips/interrupt_wiring.h"
#include "vmm/result/check.h"

namespace qm::soft {

namespace {

constexpr std::uint32_t kMaxIndex = 254;  // 255 addresses everybody
constexpr std::uint32_t kPicLines = 16;

}  // namespace

InterruptFabric::InterruptFabric(PitModel pit, std::uint32_t tscKhz)
    : wiring_(std::make_unique<InterruptWiring>(pit, tscKhz)) {
  CHECK(tscKhz != 0);
}

InterruptFabric::~InterruptFabric() = default;

void InterruptFabric::addCpu(std::uint32_t index, CpuWires wires) {
  CHECK(index <= kMaxIndex);
  if (wiring_->cpus.size() <= index) wiring_->cpus.resize(index + 1);
  CHECK(wiring_->cpus[index] == nullptr);
  wiring_->cpus[index] = std::make_unique<WiredCpu>(index, std::move(wires), wiring_->tscKhz);
}

void InterruptFabric::setTscKhz(std::uint32_t tscKhz) {
  CHECK(tscKhz != 0);
  const std::lock_guard lock(wiring_->mutex);
  wiring_->tscKhz = tscKhz;
  for (const auto& cpu : wiring_->cpus) {
    if (cpu != nullptr) cpu->apic.setTscKhz(tscKhz);
  }
}

void InterruptFabric::setLine(std::uint32_t gsi, bool raised) {
  InterruptDelivery delivery(*wiring_);
  if (gsi < kPicLines) wiring_->pic.setLine(gsi, raised);
  delivery.send(wiring_->ioApic.setLine(gsi, raised));
}

void InterruptFabric::raiseNmi(std::uint32_t index) {
  WiredCpu& cpu = wiring_->cpu(index);
  InterruptDelivery delivery(*wiring_);
  cpu.apic.raiseNmi();
  delivery.refresh(index);
}

// --- The local APIC

std::uint32_t InterruptFabric::readLocal(std::uint32_t index, std::uint32_t offset, std::uint64_t tsc) {
  WiredCpu& cpu = wiring_->cpu(index);
  InterruptDelivery delivery(*wiring_);
  cpu.apic.advance(tsc);
  const std::uint32_t value = cpu.apic.readPage(offset, tsc);
  delivery.refresh(index);
  return value;
}

void InterruptFabric::writeLocal(std::uint32_t index, std::uint32_t offset, std::uint32_t value, std::uint64_t tsc) {
  WiredCpu& cpu = wiring_->cpu(index);
  InterruptDelivery delivery(*wiring_);
  cpu.apic.advance(tsc);
  delivery.carryOut(cpu.apic.writePage(offset, value, tsc), index);
}

std::optional<std::uint64_t> InterruptFabric::readX2(std::uint32_t index, std::uint32_t msr, std::uint64_t tsc) {
  WiredCpu& cpu = wiring_->cpu(index);
  InterruptDelivery delivery(*wiring_);
  cpu.apic.advance(tsc);
  delivery.refresh(index);
  return cpu.apic.readMsr(msr, tsc);
}

bool InterruptFabric::writeX2(std::uint32_t index, std::uint32_t msr, std::uint64_t value, std::uint64_t tsc) {
  WiredCpu& cpu = wiring_->cpu(index);
  InterruptDelivery delivery(*wiring_);
  cpu.apic.advance(tsc);
  const std::optional<ApicAction> action = cpu.apic.writeMsr(msr, value, tsc);
  delivery.carryOut(action.value_or(ApicAction{}), index);
  return action.has_value();
}

std::uint64_t InterruptFabric::apicBase(std::uint32_t index) const {
  const WiredCpu& cpu = wiring_->cpu(index);
  const std::lock_guard lock(wiring_->mutex);
  return cpu.apic.base();
}

bool InterruptFabric::setApicBase(std::uint32_t index, std::uint64_t value) {
  WiredCpu& cpu = wiring_->cpu(index);
  InterruptDelivery delivery(*wiring_);
  const bool isLegal = cpu.apic.setBase(value);
  delivery.refresh(index);
  return isLegal;
}

std::uint64_t InterruptFabric::tscDeadline(std::uint32_t index, std::uint64_t tsc) {
  WiredCpu& cpu = wiring_->cpu(index);
  InterruptDelivery delivery(*wiring_);
  cpu.apic.advance(tsc);
  delivery.refresh(index);
  return cpu.apic.deadline();
}

void InterruptFabric::setTscDeadline(std::uint32_t index, std::uint64_t value, std::uint64_t tsc) {
  WiredCpu& cpu = wiring_->cpu(index);
  InterruptDelivery delivery(*wiring_);
  cpu.apic.advance(tsc);
  cpu.apic.setDeadline(value);
  cpu.apic.advance(tsc);
  delivery.refresh(index);
}

std::uint8_t InterruptFabric::cr8(std::uint32_t index) const {
  const WiredCpu& cpu = wiring_->cpu(index);
  const std::lock_guard lock(wiring_->mutex);
  return cpu.apic.taskPriority() >> 4U;
}

// SDM 3A 11.8.6: the low half of the task priority becomes 0.
void InterruptFabric::setCr8(std::uint32_t index, std::uint8_t value) {
  WiredCpu& cpu = wiring_->cpu(index);
  InterruptDelivery delivery(*wiring_);
  cpu.apic.setTaskPriority(static_cast<std::uint8_t>(value << 4U));
  delivery.refresh(index);
}

void InterruptFabric::adjustTsc(std::uint32_t index, std::uint64_t from, std::uint64_t to) {
  WiredCpu& cpu = wiring_->cpu(index);
  InterruptDelivery delivery(*wiring_);
  cpu.apic.advance(from);
  cpu.apic.moveTsc(from, to);
  cpu.apic.advance(to);
  delivery.refresh(index);
}

// --- Between instructions

const WorkHint& InterruptFabric::hint(std::uint32_t index) const {
  return wiring_->cpu(index).hint;
}

CpuWork InterruptFabric::work(std::uint32_t index, std::uint64_t tsc) {
  WiredCpu& cpu = wiring_->cpu(index);
  InterruptDelivery delivery(*wiring_);
  cpu.apic.advance(tsc);
  delivery.look(index);
  CpuWork work{.nmi = cpu.apic.hasNmi(), .init = cpu.apic.hasInit(), .sipi = cpu.apic.sipi()};
  work.vector = cpu.knownVector == WiredCpu::kFromPic ? wiring_->pic.vector() : cpu.apic.requested();
  return work;
}

std::optional<std::uint8_t> InterruptFabric::acknowledge(std::uint32_t index) {
  WiredCpu& cpu = wiring_->cpu(index);
  InterruptDelivery delivery(*wiring_);
  const bool isFromPic = wiring_->pic.output() && cpu.apic.admitsPic();
  const std::optional<std::uint8_t> vector =
      isFromPic ? std::optional(wiring_->pic.acknowledge()) : cpu.apic.acknowledge();
  delivery.refreshTaken(index);
  return vector;
}

void InterruptFabric::takeNmi(std::uint32_t index) {
  WiredCpu& cpu = wiring_->cpu(index);
  InterruptDelivery delivery(*wiring_);
  cpu.apic.takeNmi();
  delivery.refreshTaken(index);
}

void InterruptFabric::takeInit(std::uint32_t index) {
  WiredCpu& cpu = wiring_->cpu(index);
  InterruptDelivery delivery(*wiring_);
  cpu.apic.takeInit();
  delivery.refreshTaken(index);
}

void InterruptFabric::takeSipi(std::uint32_t index) {
  WiredCpu& cpu = wiring_->cpu(index);
  InterruptDelivery delivery(*wiring_);
  cpu.apic.takeSipi();
  delivery.refreshTaken(index);
}

std::optional<std::uint64_t> InterruptFabric::nextDeadline(std::uint32_t index) const {
  const WiredCpu& cpu = wiring_->cpu(index);
  const std::lock_guard lock(wiring_->mutex);
  return cpu.apic.nextExpiry();
}

// --- The chips of all

std::uint32_t InterruptFabric::readIo(std::uint32_t offset) const {
  const std::lock_guard lock(wiring_->mutex);
  return wiring_->ioApic.read(offset);
}

void InterruptFabric::writeIo(std::uint32_t offset, std::uint32_t value) {
  InterruptDelivery delivery(*wiring_);
  delivery.send(wiring_->ioApic.write(offset, value));
}

bool InterruptFabric::ownsPort(std::uint16_t port) const {
  return PicPair::ownsPort(port) || (wiring_->pit.has_value() && PitChip::ownsPort(port));
}

std::uint8_t InterruptFabric::readPort(std::uint16_t port, std::uint64_t tsc) {
  const InterruptDelivery delivery(*wiring_);
  if (wiring_->pit && PitChip::ownsPort(port)) return wiring_->pit->read(port, wiring_->nanoseconds(tsc));
  return wiring_->pic.read(port);
}

void InterruptFabric::writePort(std::uint16_t port, std::uint8_t value, std::uint64_t tsc) {
  const InterruptDelivery delivery(*wiring_);
  if (wiring_->pit && PitChip::ownsPort(port)) {
    wiring_->pit->write(port, value, wiring_->nanoseconds(tsc));
  } else {
    wiring_->pic.write(port, value);
  }
}

// --- Snapshots

bool InterruptFabric::loadApicBase(std::uint32_t index, std::uint64_t value) {
  WiredCpu& cpu = wiring_->cpu(index);
  InterruptDelivery delivery(*wiring_);
  const bool isValid = cpu.apic.loadBase(value);
  delivery.refresh(index);
  return isValid;
}

LocalApic InterruptFabric::saveLocal(std::uint32_t index, std::uint64_t tsc) {
  WiredCpu& cpu = wiring_->cpu(index);
  InterruptDelivery delivery(*wiring_);
  cpu.apic.advance(tsc);
  delivery.refresh(index);
  return cpu.apic.save(tsc);
}

void InterruptFabric::loadLocal(std::uint32_t index, const LocalApic& state, std::uint64_t tsc) {
  WiredCpu& cpu = wiring_->cpu(index);
  InterruptDelivery delivery(*wiring_);
  cpu.apic.load(state, tsc);
  delivery.refresh(index);
}

std::uint64_t InterruptFabric::timerExpiry(std::uint32_t index) const {
  const WiredCpu& cpu = wiring_->cpu(index);
  const std::lock_guard lock(wiring_->mutex);
  return cpu.apic.timerExpiry();
}

void InterruptFabric::loadTimerExpiry(std::uint32_t index, std::uint64_t tsc) {
  WiredCpu& cpu = wiring_->cpu(index);
  InterruptDelivery delivery(*wiring_);
  cpu.apic.setTimerExpiry(tsc);
  delivery.refresh(index);
}

void InterruptFabric::saveChips(VmState& state) const {
  const std::lock_guard lock(wiring_->mutex);
  wiring_->pic.save(state.primaryPic, state.secondaryPic);
  state.ioApic = wiring_->ioApic.save();
  state.hasPit = wiring_->pit.has_value();
  state.pit = state.hasPit ? wiring_->pit->save() : Pit{};
}

void InterruptFabric::loadChips(const VmState& state, std::uint64_t tsc) {
  InterruptDelivery delivery(*wiring_);
  wiring_->pic.load(state.primaryPic, state.secondaryPic);
  if (wiring_->pit) wiring_->pit->load(state.pit, wiring_->nanoseconds(tsc));
  delivery.send(wiring_->ioApic.load(state.ioApic));
}

}  // namespace qm::soft
