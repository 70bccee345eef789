#include "vmm/hypervisor/soft/chips/io_apic.h"

namespace qm::soft {

namespace {

// 82093AA 3.1 and 3.2.
constexpr std::uint32_t kRegisterSelect = 0x00, kWindow = 0x10;
constexpr std::uint8_t kId = 0x00, kVersion = 0x01, kArbitration = 0x02, kRedirection = 0x10;
constexpr std::uint32_t kVersionValue = (IoApicChip::kPins - 1) << 16U | 0x11;
// A redirection entry, 3.2.4.
constexpr std::uint64_t kLogical = 1U << 11U, kRemoteIrr = 1U << 14U, kLevel = 1U << 15U;
constexpr std::uint64_t kReadOnly = kRemoteIrr | 1U << 12U;  // with delivery status
constexpr std::uint64_t kDefined = 0xff00'0000'0001'ffff;
constexpr std::uint64_t kLow = 0xffff'ffff;

constexpr PinSet bit(std::uint32_t pin) {
  return PinSet{1} << pin;
}

}  // namespace

bool IoApicChip::isLevel(std::uint32_t pin) const {
  return (redirection_[pin] & kLevel) != 0;
}

bool IoApicChip::canSend(std::uint32_t pin) const {
  const std::uint64_t entry = redirection_[pin];
  const bool waitsForItsEnd = isLevel(pin) && (entry & kRemoteIrr) != 0;
  return (entry & kMasked) == 0 && !waitsForItsEnd;
}

PinSet IoApicChip::levelToSend(std::uint32_t pin) const {
  return isLevel(pin) && (up_ & bit(pin)) != 0 && canSend(pin) ? bit(pin) : 0;
}

PinSet IoApicChip::setLine(std::uint32_t pin, bool raised) {
  if (pin >= kPins) return 0;
  const bool wasUp = (up_ & bit(pin)) != 0;
  if (!raised) {
    up_ &= ~bit(pin);
    sentEdges_ &= ~bit(pin);
    return 0;
  }
  up_ |= bit(pin);
  const bool isNoEdge = !isLevel(pin) && wasUp;
  return isNoEdge || !canSend(pin) ? 0 : bit(pin);
}

PinSet IoApicChip::endOfInterrupt(std::uint8_t vector) {
  PinSet again = 0;
  for (std::uint32_t pin = 0; pin < kPins; ++pin) {
    std::uint64_t& entry = redirection_[pin];
    if (!isLevel(pin) || static_cast<std::uint8_t>(entry) != vector) continue;
    entry &= ~kRemoteIrr;
    again |= levelToSend(pin);
  }
  return again;
}

InterruptMessage IoApicChip::take(std::uint32_t pin) {
  const std::uint64_t entry = redirection_[pin];
  if (!isLevel(pin)) sentEdges_ |= bit(pin);
  return {.mode = static_cast<DeliveryMode>(entry >> 8U & 7U),
          .vector = static_cast<std::uint8_t>(entry),
          .trigger = isLevel(pin) ? Trigger::level : Trigger::edge,
          .destinationMode = (entry & kLogical) != 0 ? DestinationMode::logical : DestinationMode::physical,
          .width = DestinationWidth::bits8,
          .destination = static_cast<std::uint32_t>(entry >> 56U)};
}

void IoApicChip::confirm(std::uint32_t pin) {
  if (isLevel(pin)) redirection_[pin] |= kRemoteIrr;
}

std::uint32_t IoApicChip::read(std::uint32_t offset) const {
  switch (offset) {
    case kRegisterSelect:
      return registerSelect_;
    case kWindow:
      return readWindow();
    default:
      return 0;
  }
}

std::uint32_t IoApicChip::readWindow() const {
  switch (registerSelect_) {
    case kId:
    case kArbitration:
      return std::uint32_t{id_} << 24U;
    case kVersion:
      return kVersionValue;
    default:
      break;
  }
  if (registerSelect_ < kRedirection || registerSelect_ >= kRedirection + 2 * kPins) return 0;
  const std::uint32_t half = registerSelect_ - kRedirection;
  return static_cast<std::uint32_t>(redirection_[half / 2] >> (half % 2 * 32));
}

PinSet IoApicChip::write(std::uint32_t offset, std::uint32_t value) {
  switch (offset) {
    case kRegisterSelect:
      registerSelect_ = static_cast<std::uint8_t>(value);
      return 0;
    case kWindow:
      return writeWindow(value);
    default:
      return 0;
  }
}

PinSet IoApicChip::writeWindow(std::uint32_t value) {
  if (registerSelect_ == kId) id_ = value >> 24U & 0xfU;
  if (registerSelect_ < kRedirection || registerSelect_ >= kRedirection + 2 * kPins) return 0;
  const std::uint32_t half = registerSelect_ - kRedirection;
  const std::uint32_t pin = half / 2;
  std::uint64_t& entry = redirection_[pin];
  if (half % 2 == 1) {
    entry = (entry & kLow) | (std::uint64_t{value} << 32U & kDefined);
  } else {
    const std::uint64_t writable = kDefined & kLow & ~kReadOnly;
    entry = (entry & ~writable) | (value & writable);
    if (!isLevel(pin)) entry &= ~kRemoteIrr;
  }
  return levelToSend(pin);
}

IoApic IoApicChip::save() const {
  IoApic state{.baseAddress = baseAddress_, .registerSelect = registerSelect_, .id = id_};
  state.redirection = redirection_;
  for (std::uint32_t pin = 0; pin < kPins; ++pin) {
    const bool isSent = !isLevel(pin) && (sentEdges_ & bit(pin)) != 0;
    if ((up_ & bit(pin)) != 0 && !isSent) state.irr |= bit(pin);
  }
  return state;
}

PinSet IoApicChip::load(const IoApic& state) {
  baseAddress_ = state.baseAddress;
  registerSelect_ = static_cast<std::uint8_t>(state.registerSelect);
  id_ = state.id & 0xfU;
  redirection_ = state.redirection;
  up_ = sentEdges_ = 0;
  PinSet toSend = 0;
  for (std::uint32_t pin = 0; pin < kPins; ++pin) {
    if ((state.irr & bit(pin)) != 0) toSend |= setLine(pin, true);
  }
  return toSend;
}

}  // namespace qm::soft
