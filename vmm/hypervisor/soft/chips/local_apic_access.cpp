// The guest's accesses to the local APIC: xAPIC's page and x2APIC's MSRs, which are two ways to the same registers.
#include <bit>

#include "vmm/hypervisor/soft/chips/local_apic.h"

namespace qm::soft {

namespace {

constexpr std::uint32_t kPageBytes = 0x400, kStride = 16, kFirstMsr = 0x800;

// What of a register there is: in the page (where a write to one that is read-only goes nowhere), and as an MSR.
struct Rule {
  bool isInPage = false, isReadable = false, isWritable = false;  // the latter two: the MSR
  std::uint64_t writableBits = 0;                                 // others in a WRMSR: #GP
};

constexpr std::size_t slotOf(ApicRegister which) {
  return static_cast<std::size_t>(which) / kStride;
}

constexpr std::array<Rule, kPageBytes / kStride> makeRules() {
  using enum ApicRegister;
  std::array<Rule, kPageBytes / kStride> rules{};
  const auto set = [&rules](ApicRegister which, Rule rule) { rules[slotOf(which)] = rule; };
  const Rule readOnly{.isInPage = true, .isReadable = true};
  const auto readWrite = [](std::uint64_t bits) { return Rule{true, true, true, bits}; };
  for (const ApicRegister which : {id, version, processorPriority, logicalDestination, currentCount})
    set(which, readOnly);
  for (std::size_t part = 0; part < 8; ++part) {
    for (const ApicRegister first : {inService, triggerMode, request}) rules[slotOf(first) + part] = readOnly;
  }
  for (const ApicRegister which : {arbitrationPriority, remoteRead, destinationFormat, commandHigh}) {
    set(which, {.isInPage = true});
  }
  set(taskPriority, readWrite(0xff));
  set(endOfInterrupt, {.isInPage = true, .isWritable = true});
  set(spuriousVector, readWrite(spurious::kWritable));
  set(errorStatus, readWrite(0));
  // Delivery status is no longer there in x2APIC mode; who still writes it as 1 is let off, as by KVM.
  set(command, readWrite(~std::uint64_t{0} << 32U | command::kWritable | command::kStatus));
  for (std::size_t entry = 0; entry < kLvtCount; ++entry) {
    rules[slotOf(lvtTimer) + entry] = readWrite(lvt::kWritable[entry]);
  }
  set(initialCount, readWrite(0xffff'ffff));
  set(divideConfiguration, readWrite(0xb));
  set(selfIpi, {.isWritable = true, .writableBits = command::kVector});
  return rules;
}

constexpr std::array<Rule, kPageBytes / kStride> kRules = makeRules();

constexpr std::uint32_t kDestinationBits = 0xff00'0000;  // of LDR, DFR's model aside, and of xAPIC's ICR

}  // namespace

std::uint32_t LocalApicChip::readPage(std::uint32_t offset, std::uint64_t tsc) {
  if (!isOn() || isX2()) return 0xffff'ffff;
  if (offset >= kPageBytes || !kRules[offset / kStride].isInPage) {
    detectError(apic_error::kIllegalRegister);
    return 0;
  }
  const std::uint32_t byte = offset % kStride;  // of the 4 that there are
  return byte >= 4 ? 0 : read(ApicRegister{offset - byte}, tsc) >> (byte * 8);
}

ApicAction LocalApicChip::writePage(std::uint32_t offset, std::uint32_t value, std::uint64_t tsc) {
  if (!isOn() || isX2() || offset % kStride != 0) return {};
  if (offset >= kPageBytes || !kRules[offset / kStride].isInPage) {
    detectError(apic_error::kIllegalRegister);
    return {};
  }
  return write(ApicRegister{offset}, value, tsc);
}

std::optional<std::uint64_t> LocalApicChip::readMsr(std::uint32_t msr, std::uint64_t tsc) const {
  if (!isX2() || msr < kFirstMsr || msr - kFirstMsr >= kRules.size()) return std::nullopt;
  if (!kRules[msr - kFirstMsr].isReadable) return std::nullopt;
  const ApicRegister which{(msr - kFirstMsr) * kStride};
  const std::uint64_t high = which == ApicRegister::command ? commandHigh_ : 0;
  return high << 32U | read(which, tsc);
}

std::optional<ApicAction> LocalApicChip::writeMsr(std::uint32_t msr, std::uint64_t value, std::uint64_t tsc) {
  if (!isX2() || msr < kFirstMsr || msr - kFirstMsr >= kRules.size()) return std::nullopt;
  const Rule& rule = kRules[msr - kFirstMsr];
  if (!rule.isWritable || (value & ~rule.writableBits) != 0) return std::nullopt;
  const ApicRegister which{(msr - kFirstMsr) * kStride};
  if (which == ApicRegister::command) commandHigh_ = static_cast<std::uint32_t>(value >> 32U);
  return write(which, static_cast<std::uint32_t>(value), tsc);
}

std::uint32_t LocalApicChip::read(ApicRegister which, std::uint64_t tsc) const {
  const auto offset = static_cast<std::uint32_t>(which);
  const std::size_t part = offset / kStride % 8;  // of ISR, TMR and IRR
  using enum ApicRegister;
  switch (which) {
    case id:
      return isX2() ? id_ : id_ << 24U;
    case version:
      return kApicVersion;
    case taskPriority:
      return taskPriority_;
    case processorPriority:
      return this->processorPriority();  // the register has the same name
    case logicalDestination:
      return logicalId();
    case destinationFormat:
      return destinationFormat_;
    case spuriousVector:
      return spurious_;
    case errorStatus:
      return errorStatus_;
    case command:
      return command_;
    case commandHigh:
      return commandHigh_;
    case initialCount:
      return timer_.initialCount();
    case currentCount:
      return timer_.currentCount(tsc);
    case divideConfiguration:
      return timer_.divide();
    default:
      break;
  }
  if (which >= lvtTimer && which <= lvtError) return lvt_[slotOf(which) - slotOf(lvtTimer)];
  if (which >= inService && which < triggerMode) return inService_.part(part);
  if (which >= triggerMode && which < request) return triggerMode_.part(part);
  if (which >= request && which < errorStatus) return request_.part(part);
  return 0;  // EOI, which is only written; arbitration priority and remote read, which are not modelled
}

ApicAction LocalApicChip::write(ApicRegister which, std::uint32_t value, std::uint64_t tsc) {
  using enum ApicRegister;
  switch (which) {
    case taskPriority:
      taskPriority_ = static_cast<std::uint8_t>(value);
      return {};
    case endOfInterrupt:
      return {.endOfLevel = endInterrupt()};
    case logicalDestination:
      logicalDestination_ = value & kDestinationBits;
      return {};
    case destinationFormat:
      destinationFormat_ = value | 0x0fff'ffff;
      return {};
    case spuriousVector:
      writeSpurious(value & spurious::kWritable);
      return {};
    case errorStatus:
      errorStatus_ = errorsDetected_;
      errorsDetected_ = 0;
      return {};
    case command:
      command_ = value & command::kWritable;
      return {.send = sendCommand()};
    case commandHigh:
      commandHigh_ = value & kDestinationBits;
      return {};
    case selfIpi:
      // SDM 3A 11.12.11: fixed, edge, to oneself.
      return {.send = InterruptMessage{.vector = static_cast<std::uint8_t>(value), .shorthand = Shorthand::self}};
    case initialCount:
      timer_.setInitialCount(value, tsc);
      return {};
    case divideConfiguration:
      timer_.setDivide(value, tsc);
      return {};
    default:
      if (which >= lvtTimer && which <= lvtError) writeLvt(slotOf(which) - slotOf(lvtTimer), value, tsc);
      return {};
  }
}

// SDM 3A 11.4.7.2: while disabled, every LVT entry is masked and stays so.
void LocalApicChip::writeSpurious(std::uint32_t value) {
  spurious_ = value;
  if (isSoftwareEnabled()) return;
  for (std::uint32_t& entry : lvt_) entry |= lvt::kMasked;
}

void LocalApicChip::writeLvt(std::size_t entry, std::uint32_t value, std::uint64_t tsc) {
  lvt_[entry] = (value & lvt::kWritable[entry]) | (isSoftwareEnabled() ? 0 : lvt::kMasked);
  if (entry == kTimerEntry) timer_.setMode(static_cast<TimerMode>((value & lvt::kTimerMode) >> 17U), tsc);
}

// SDM 3A 11.6.1. Only INIT has a level, and its de-assertion, which synchronised arbitration ids, does nothing; all
// others are edges whatever the trigger bit says.
std::optional<InterruptMessage> LocalApicChip::sendCommand() {
  const auto mode = static_cast<DeliveryMode>((command_ & command::kDeliveryMode) >> 8U);
  const auto vector = static_cast<std::uint8_t>(command_ & command::kVector);
  const bool hasVector = mode == DeliveryMode::fixed || mode == DeliveryMode::lowestPriority;
  if (hasVector && vector < kFirstLegalVector) {
    detectError(apic_error::kSendIllegalVector);
    return std::nullopt;
  }
  const bool isDeassertion = (command_ & (command::kLevel | command::kAssert)) == command::kLevel;
  if (mode == DeliveryMode::init && isDeassertion) return std::nullopt;
  return InterruptMessage{
      .mode = mode,
      .vector = vector,
      .shorthand = static_cast<Shorthand>((command_ & command::kShorthand) >> 18U),
      .destinationMode = (command_ & command::kLogical) != 0 ? DestinationMode::logical : DestinationMode::physical,
      .width = isX2() ? DestinationWidth::bits32 : DestinationWidth::bits8,
      .destination = isX2() ? commandHigh_ : commandHigh_ >> 24U};
}

}  // namespace qm::soft
