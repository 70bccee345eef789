#include "vmm/hypervisor/soft/chips/interrupt_wiring.h"

#include <bit>

#include "vmm/hypervisor/soft/chips/tsc_time.h"
#include "vmm/result/check.h"

namespace qm::soft {

namespace {

constexpr std::uint32_t kNobody = 255;  // sends what does not come from a local APIC

unsigned unmaskableOf(const LocalApicChip& apic) {
  return (apic.hasNmi() ? 1U : 0U) | (apic.hasInit() ? 2U : 0U) | (apic.sipi() ? 4U : 0U);
}

}  // namespace

InterruptWiring::InterruptWiring(PitModel pitModel, std::uint32_t khz) : tscKhz(khz) {
  if (pitModel == PitModel::present) pit.emplace();
}

WiredCpu& InterruptWiring::cpu(std::uint32_t index) const {
  CHECK(index < cpus.size() && cpus[index] != nullptr);
  return *cpus[index];
}

std::uint64_t InterruptWiring::nanoseconds(std::uint64_t tsc) const {
  return scaleDown(tsc, kNsPerMs, tscKhz);
}

InterruptDelivery::InterruptDelivery(InterruptWiring& wiring)
    : wiring_(wiring), lock_(wiring.mutex), picBefore_(wiring.pic.output()) {}

InterruptDelivery::~InterruptDelivery() {
  if (wiring_.pic.output() != picBefore_) {
    for (std::uint32_t i = 0; i < wiring_.cpus.size(); ++i) {
      if (wiring_.cpus[i] != nullptr) refresh(i);
    }
  }
  lock_.unlock();
  news_.forEach([this](std::size_t index) { wiring_.cpus[index]->wires.onWork(); });
}

void InterruptDelivery::refresh(std::uint32_t index) {
  if (look(index)) news_.add(index);
}

bool InterruptDelivery::look(std::uint32_t index) {
  WiredCpu& cpu = *wiring_.cpus[index];
  int vector = WiredCpu::kNothing;
  if (wiring_.pic.output() && cpu.apic.admitsPic()) {
    vector = WiredCpu::kFromPic;
  } else if (const std::optional<std::uint8_t> requested = cpu.apic.requested()) {
    vector = *requested;
  }
  const bool isDeliverable = vector != WiredCpu::kNothing;
  const unsigned unmaskable = unmaskableOf(cpu.apic);
  cpu.hint.setInterruptAt(isDeliverable ? WorkHint::kNow : cpu.apic.nextExpiry().value_or(WorkHint::kNever));
  cpu.hint.setUnmaskable(unmaskable != 0);
  const bool isNews = (isDeliverable && vector != cpu.knownVector) || (unmaskable & ~cpu.knownUnmaskable) != 0;
  cpu.knownVector = vector;
  cpu.knownUnmaskable = unmaskable;
  return isNews;
}

void InterruptDelivery::refreshTaken(std::uint32_t index) {
  wiring_.cpus[index]->knownVector = WiredCpu::kNothing;
  wiring_.cpus[index]->knownUnmaskable = 0;
  refresh(index);
}

void InterruptDelivery::carryOut(const ApicAction& action, std::uint32_t sender) {
  if (action.send) deliver(*action.send, sender);
  if (action.endOfLevel) send(wiring_.ioApic.endOfInterrupt(*action.endOfLevel));
  refresh(sender);
}

void InterruptDelivery::send(PinSet pins) {
  for (; pins != 0; pins &= pins - 1) {
    const auto pin = static_cast<std::uint32_t>(std::countr_zero(pins));
    if (deliver(wiring_.ioApic.take(pin), kNobody)) wiring_.ioApic.confirm(pin);
  }
}

// Whether anybody took it.
bool InterruptDelivery::deliver(const InterruptMessage& message, std::uint32_t sender) {
  if (message.mode == DeliveryMode::lowestPriority) return deliverToLowest(message, sender);
  bool isTaken = false;
  for (std::uint32_t i = 0; i < wiring_.cpus.size(); ++i) {
    if (isTarget(message, sender, i)) isTaken |= hand(message, i);
  }
  return isTaken;
}

// SDM 3A 11.6.2.4: one of those whose priority is lowest. Among equals the vector decides, which spreads devices over
// processors and keeps each on its own.
bool InterruptDelivery::deliverToLowest(const InterruptMessage& message, std::uint32_t sender) {
  std::uint8_t lowest = 0xff;
  std::vector<std::uint32_t> equals;
  for (std::uint32_t i = 0; i < wiring_.cpus.size(); ++i) {
    if (!isTarget(message, sender, i) || !wiring_.cpus[i]->apic.takesVectors()) continue;
    const std::uint8_t priority = wiring_.cpus[i]->apic.processorPriority();
    if (priority > lowest) continue;
    if (priority < lowest) equals.clear();
    lowest = priority;
    equals.push_back(i);
  }
  return !equals.empty() && hand(message, equals[message.vector % equals.size()]);
}

bool InterruptDelivery::hand(const InterruptMessage& message, std::uint32_t index) {
  const bool isTaken = wiring_.cpus[index]->apic.accept(message);
  refresh(index);
  return isTaken;
}

bool InterruptDelivery::isTarget(const InterruptMessage& message, std::uint32_t sender, std::uint32_t index) const {
  if (wiring_.cpus[index] == nullptr) return false;
  switch (message.shorthand) {
    case Shorthand::none:
      return wiring_.cpus[index]->apic.isAddressedBy(message);
    case Shorthand::self:
      return index == sender;
    case Shorthand::all:
      return true;
    case Shorthand::allButSelf:
      return index != sender;
  }
  return false;
}

}  // namespace qm::soft
