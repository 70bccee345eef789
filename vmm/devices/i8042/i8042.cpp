#include "vmm/devices/i8042/i8042.h"

#include <array>

namespace qm {

namespace {

constexpr std::uint64_t kDataPort = 0, kCommandPort = 4;  // 0x60 and 0x64
constexpr std::uint8_t kOutputFull = 1, kSystemFlag = 4, kUnlocked = 0x10;
constexpr std::uint8_t kKeyboardInterrupt = 1, kKeyboardDisabled = 0x10;
constexpr std::size_t kOutputRoom = 16;

enum Command : std::uint8_t {
  kReadConfiguration = 0x20,
  kWriteConfiguration = 0x60,
  kSelfTest = 0xaa,
  kInterfaceTest = 0xab,
  kDisableKeyboard = 0xad,
  kEnableKeyboard = 0xae,
  kReadOutputPort = 0xd0,
  kWriteOutputPort = 0xd1,
  kPulseReset = 0xfe,
};
constexpr std::uint8_t kSelfTestPassed = 0x55, kAcknowledge = 0xfa;

}  // namespace

std::uint64_t I8042::read(std::uint64_t offset, std::uint8_t bytes) {
  if (bytes != 1) return ~std::uint64_t{0};
  const std::lock_guard lock(mutex_);
  if (offset == kCommandPort) return kSystemFlag | kUnlocked | (state_.output.empty() ? 0 : kOutputFull);
  if (offset != kDataPort || state_.output.empty()) return 0;
  const std::uint8_t byte = state_.output.front();
  state_.output.erase(state_.output.begin());
  return byte;
}

void I8042::write(std::uint64_t offset, std::uint8_t bytes, std::uint64_t value) {
  if (bytes != 1) return;
  Outcome outcome = Outcome::nothing;
  {
    const std::lock_guard lock(mutex_);
    if (offset == kCommandPort) outcome = command(static_cast<std::uint8_t>(value));
    if (offset == kDataPort) outcome = data(static_cast<std::uint8_t>(value));
  }
  deliver(outcome);
}

I8042::Outcome I8042::command(std::uint8_t value) {
  state_.pendingCommand = 0;
  switch (value) {
    case kPulseReset:
      return Outcome::reset;
    case kReadConfiguration:
      return answer(state_.commandByte);
    case kReadOutputPort:
      return answer(state_.outputPort);
    case kSelfTest:
      return answer(kSelfTestPassed);
    case kInterfaceTest:
      return answer(0);
    case kDisableKeyboard:
      state_.commandByte |= kKeyboardDisabled;
      return Outcome::nothing;
    case kEnableKeyboard:
      state_.commandByte = static_cast<std::uint8_t>(state_.commandByte & ~kKeyboardDisabled);
      return Outcome::nothing;
    case kWriteConfiguration:
    case kWriteOutputPort:
      state_.pendingCommand = value;
      return Outcome::nothing;
    default:
      return Outcome::nothing;
  }
}

I8042::Outcome I8042::data(std::uint8_t value) {
  const std::uint8_t pending = std::exchange(state_.pendingCommand, std::uint8_t{0});
  switch (pending) {
    case kWriteConfiguration:
      state_.commandByte = value;
      return Outcome::nothing;
    case kWriteOutputPort:
      state_.outputPort = value;
      return (value & 1U) == 0 ? Outcome::reset : Outcome::nothing;  // bit 0 low is the reset line
    default:
      return answer(kAcknowledge);  // to the keyboard, which agrees to everything
  }
}

I8042::Outcome I8042::answer(std::uint8_t byte) {
  if (state_.output.size() < kOutputRoom) state_.output.push_back(byte);
  return (state_.commandByte & kKeyboardInterrupt) != 0 ? Outcome::interrupt : Outcome::nothing;
}

void I8042::deliver(Outcome outcome) {
  if (outcome == Outcome::interrupt) wiring_.keyboard.pulse();
  if (outcome == Outcome::reset) wiring_.onReset();
}

void I8042::pressCtrlAltDel() {
  // Set 2, as untranslated: left Ctrl, left Alt, extended Delete.
  constexpr std::array<std::uint8_t, 4> kKeys{0x14, 0x11, 0xe0, 0x71};
  Outcome outcome = Outcome::nothing;
  {
    const std::lock_guard lock(mutex_);
    for (const std::uint8_t key : kKeys) outcome = answer(key);
  }
  deliver(outcome);
}

I8042State I8042::save() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

}  // namespace qm
