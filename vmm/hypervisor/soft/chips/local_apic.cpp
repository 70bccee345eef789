// Messages, priorities and modes; the guest's accesses are in local_apic_access.cpp, snapshots in local_apic_state.cpp.
#include "vmm/hypervisor/soft/chips/local_apic.h"

namespace qm::soft {

namespace {

constexpr std::uint8_t kClass = 0xf0;  // of a vector or a priority, SDM 3A 11.8.3
constexpr std::uint32_t kExternal = static_cast<std::uint32_t>(DeliveryMode::external) << 8U;
// Bits of IA32_APIC_BASE that no processor has: below and between the flags, and above 52 address bits.
constexpr std::uint64_t kBaseReserved =
    ~(apic_base::kAddress | apic_base::kBootProcessor | apic_base::kX2Apic | apic_base::kEnabled);

bool isValidBase(std::uint64_t value) {
  const bool isX2WithoutApic = (value & (apic_base::kX2Apic | apic_base::kEnabled)) == apic_base::kX2Apic;
  return (value & kBaseReserved) == 0 && !isX2WithoutApic;
}

// SDM 3A 11.7.2: logical destinations of 8 bits, in the flat model (DFR all ones) and in the cluster model.
bool matchesLogical8(std::uint8_t logicalId, std::uint32_t format, std::uint32_t destination) {
  constexpr std::uint32_t kFlat = 0xf, kCluster = 0;
  switch (format >> 28U) {
    case kFlat:
      return (logicalId & destination) != 0;
    case kCluster:
      return logicalId >> 4U == destination >> 4U && (logicalId & destination & 0xfU) != 0;
    default:
      return false;
  }
}

}  // namespace

LocalApicChip::LocalApicChip(std::uint32_t id, std::uint32_t tscKhz)
    : id_(id),
      base_(apic_base::kResetAddress | apic_base::kEnabled | (id == 0 ? apic_base::kBootProcessor : 0)),
      timer_(tscKhz) {
  resetRegisters();
}

// SDM 3A 11.4.7.1 and 11.4.7.3.
void LocalApicChip::resetRegisters() {
  taskPriority_ = 0;
  logicalDestination_ = 0;
  destinationFormat_ = 0xffff'ffff;
  spurious_ = 0xff;
  errorStatus_ = errorsDetected_ = 0;
  command_ = commandHigh_ = 0;
  lvt_.fill(lvt::kMasked);
  if (id_ == 0) lvt_[kLint0Entry] = kExternal;
  request_ = inService_ = triggerMode_ = {};
  timer_.reset();
}

void LocalApicChip::takeInit() {
  resetRegisters();
  nmi_ = init_ = false;
}

void LocalApicChip::advance(std::uint64_t tsc) {
  if (timer_.runOut(tsc)) interruptThrough(kTimerEntry);
}

std::optional<std::uint64_t> LocalApicChip::nextExpiry() const {
  if ((lvt_[kTimerEntry] & lvt::kMasked) != 0) return std::nullopt;
  return timer_.expiry();
}

// --- Modes

bool LocalApicChip::setBase(std::uint64_t value) {
  if (!isValidBase(value)) return false;
  const bool willBeOn = (value & apic_base::kEnabled) != 0;
  const bool willBeX2 = (value & apic_base::kX2Apic) != 0;
  // SDM 3A figure 11-26: into x2APIC from xAPIC mode only, and out of it only by switching off.
  if (willBeX2 && !isOn()) return false;
  if (isX2() && willBeOn && !willBeX2) return false;
  changeBase(value);
  return true;
}

bool LocalApicChip::loadBase(std::uint64_t value) {
  if (!isValidBase(value)) return false;
  changeBase(value);
  return true;
}

void LocalApicChip::changeBase(std::uint64_t value) {
  const bool wasX2 = isX2();
  base_ = value;
  if (!isOn()) resetRegisters();
  if (isX2() && !wasX2) commandHigh_ = 0;
}

// SDM 3A 11.12.10.2: in x2APIC mode it follows from the id: the cluster's number, and a bit in it.
std::uint32_t LocalApicChip::logicalId() const {
  return isX2() ? (id_ >> 4U) << 16U | 1U << (id_ & 0xfU) : logicalDestination_;
}

// --- Arrival

// SDM 3A 11.6.2. An xAPIC sees the low 8 bits of a destination, an x2APIC all 32.
bool LocalApicChip::isAddressedBy(const InterruptMessage& message) const {
  if (message.isBroadcast()) return true;
  if (message.destinationMode == DestinationMode::physical) return message.destination == id_;
  if (!isX2()) {
    return message.destination <= 0xff &&
           matchesLogical8(static_cast<std::uint8_t>(logicalId() >> 24U), destinationFormat_, message.destination);
  }
  return logicalId() >> 16U == message.destination >> 16U && (logicalId() & message.destination & 0xffffU) != 0;
}

bool LocalApicChip::accept(const InterruptMessage& message) {
  if (!isOn()) return false;
  switch (message.mode) {
    case DeliveryMode::fixed:
    case DeliveryMode::lowestPriority:
      return isSoftwareEnabled() && acceptVector(message.vector, message.trigger);
    case DeliveryMode::nmi:
      nmi_ = true;
      return true;
    case DeliveryMode::init:
      init_ = true;
      sipi_.reset();
      return true;
    case DeliveryMode::startUp:
      sipi_ = message.vector;
      return true;
    case DeliveryMode::smi:
    case DeliveryMode::remoteRead:
    case DeliveryMode::external:
      return false;
  }
  return false;
}

bool LocalApicChip::acceptVector(std::uint8_t vector, Trigger trigger) {
  if (vector < kFirstLegalVector) {
    detectError(apic_error::kReceiveIllegalVector);
    return false;
  }
  request_.add(vector);
  if (trigger == Trigger::level) {
    triggerMode_.add(vector);
  } else {
    triggerMode_.remove(vector);
  }
  return true;
}

void LocalApicChip::interruptThrough(std::size_t lvtEntry) {
  const std::uint32_t entry = lvt_[lvtEntry];
  if ((entry & lvt::kMasked) == 0) acceptVector(static_cast<std::uint8_t>(entry & lvt::kVector), Trigger::edge);
}

// SDM 3A 11.5.3: the first error since the last write to the ESR interrupts. If the error's own vector is illegal, that
// is an error which comes second.
void LocalApicChip::detectError(std::uint32_t error) {
  const bool isFirst = errorsDetected_ == 0;
  errorsDetected_ |= error;
  if (isFirst) interruptThrough(kErrorEntry);
}

// --- Priorities, SDM 3A 11.8.3.1

std::uint8_t LocalApicChip::processorPriority() const {
  const std::uint8_t serving = inService_.highest().value_or(0) & kClass;
  return (taskPriority_ & kClass) >= serving ? taskPriority_ : serving;
}

std::optional<std::uint8_t> LocalApicChip::requested() const {
  const std::optional<std::uint8_t> highest = request_.highest();
  if (!highest || (*highest & kClass) <= (processorPriority() & kClass) || !isOn()) return std::nullopt;
  return highest;
}

std::optional<std::uint8_t> LocalApicChip::acknowledge() {
  const std::optional<std::uint8_t> vector = requested();
  if (!vector) return std::nullopt;
  request_.remove(*vector);
  inService_.add(*vector);
  return vector;
}

std::optional<std::uint8_t> LocalApicChip::endInterrupt() {
  const std::optional<std::uint8_t> vector = inService_.highest();
  if (!vector) return std::nullopt;
  inService_.remove(*vector);
  return triggerMode_.has(*vector) ? vector : std::nullopt;
}

// A processor whose APIC is off has its LINT0 pin as INTR (SDM 3A 11.4.3).
bool LocalApicChip::admitsPic() const {
  return !isOn() || (lvt_[kLint0Entry] & (lvt::kMasked | lvt::kDeliveryMode)) == kExternal;
}

}  // namespace qm::soft
