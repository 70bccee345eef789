#include "vmm/devices/serial/serial.h"

#include <algorithm>

namespace qm {

namespace {

enum Register : std::uint64_t {
  kData = 0,
  kInterruptEnable = 1,
  kInterruptId = 2,
  kLineControl = 3,
  kModemControl = 4,
  kLineStatus = 5,
  kModemStatus = 6,
  kScratch = 7
};

constexpr std::uint8_t kIerReceived = 1, kIerTransmitEmpty = 2;
constexpr std::uint8_t kIirNone = 1, kIirTransmitEmpty = 2, kIirReceived = 4, kIirFifos = 0xc0;
constexpr std::uint8_t kFcrEnable = 1, kFcrClearReceived = 2;
constexpr std::uint8_t kLcrDivisorLatch = 0x80;
constexpr std::uint8_t kMcrLoopback = 0x10;
constexpr std::uint8_t kLsrDataReady = 1, kLsrTransmitEmpty = 0x60;
constexpr std::uint8_t kMsrConnected = 0xb0;  // carrier, data set ready, clear to send
constexpr std::size_t kReceiveRoom = 64;

}  // namespace

bool holdsInterrupt(const SerialState& state) {
  const bool received = (state.interruptEnable & kIerReceived) != 0 && !state.received.empty();
  const bool transmitEmpty = (state.interruptEnable & kIerTransmitEmpty) != 0 && state.transmitEmptyPending;
  return received || transmitEmpty;
}

Serial::Serial(SerialWiring wiring, const SerialState& state) : wiring_(std::move(wiring)), state_(state) {
  const std::lock_guard lock(mutex_);
  updateLine();
}

std::uint64_t Serial::read(std::uint64_t offset, std::uint8_t bytes) {
  if (bytes != 1) return ~std::uint64_t{0};
  const std::lock_guard lock(mutex_);
  const std::uint8_t value = readRegister(offset);
  updateLine();
  return value;
}

void Serial::write(std::uint64_t offset, std::uint8_t bytes, std::uint64_t value) {
  if (bytes != 1) return;
  const std::lock_guard lock(mutex_);
  writeRegister(offset, static_cast<std::uint8_t>(value));
  updateLine();
}

std::uint8_t Serial::readRegister(std::uint64_t offset) {
  const bool divisorLatch = (state_.lineControl & kLcrDivisorLatch) != 0;
  switch (offset) {
    case kData: {
      if (divisorLatch) return static_cast<std::uint8_t>(state_.divisor);
      if (state_.received.empty()) return 0;
      const std::uint8_t byte = state_.received.front();
      state_.received.erase(state_.received.begin());
      return byte;
    }
    case kInterruptEnable:
      return divisorLatch ? static_cast<std::uint8_t>(state_.divisor >> 8U) : state_.interruptEnable;
    case kInterruptId:
      return identifyInterrupt();
    case kLineControl:
      return state_.lineControl;
    case kModemControl:
      return state_.modemControl;
    case kLineStatus:
      return lineStatus();
    case kModemStatus: {
      if ((state_.modemControl & kMcrLoopback) == 0) return kMsrConnected;
      // In loopback the outputs come back: RTS as CTS, DTR as DSR, OUT1 as RI, OUT2 as DCD.
      const unsigned out = state_.modemControl;
      return static_cast<std::uint8_t>((out & 2U) << 3U | (out & 1U) << 5U | (out & 4U) << 4U | (out & 8U) << 4U);
    }
    default:
      return state_.scratch;
  }
}

void Serial::writeRegister(std::uint64_t offset, std::uint8_t value) {
  const bool divisorLatch = (state_.lineControl & kLcrDivisorLatch) != 0;
  switch (offset) {
    case kData:
      if (divisorLatch) {
        state_.divisor = static_cast<std::uint16_t>((state_.divisor & 0xff00U) | value);
      } else {
        transmit(value);
      }
      break;
    case kInterruptEnable:
      if (divisorLatch) {
        state_.divisor = static_cast<std::uint16_t>((state_.divisor & 0x00ffU) | unsigned{value} << 8U);
        break;
      }
      // Enabling the transmitter's interrupt while it is empty raises it.
      if ((value & kIerTransmitEmpty) != 0 && (state_.interruptEnable & kIerTransmitEmpty) == 0)
        state_.transmitEmptyPending = true;
      state_.interruptEnable = value & 0xfU;
      break;
    case kInterruptId:
      state_.fifoControl = value & 0xc9U;
      if ((value & kFcrClearReceived) != 0) state_.received.clear();
      break;
    case kLineControl:
      state_.lineControl = value;
      break;
    case kModemControl:
      state_.modemControl = value & 0x1fU;
      break;
    case kScratch:
      state_.scratch = value;
      break;
    default:  // line and modem status are read-only
      break;
  }
}

void Serial::transmit(std::uint8_t byte) {
  if ((state_.modemControl & kMcrLoopback) != 0) {
    if (state_.received.size() < kReceiveRoom) state_.received.push_back(byte);
  } else {
    wiring_.onOutput(std::span(&byte, 1));
  }
  state_.transmitEmptyPending = true;
}

// The pending interrupt of the highest priority; naming the transmitter's acknowledges it.
std::uint8_t Serial::identifyInterrupt() {
  const std::uint8_t fifos = (state_.fifoControl & kFcrEnable) != 0 ? kIirFifos : 0;
  if ((state_.interruptEnable & kIerReceived) != 0 && !state_.received.empty()) return kIirReceived | fifos;
  if ((state_.interruptEnable & kIerTransmitEmpty) != 0 && state_.transmitEmptyPending) {
    state_.transmitEmptyPending = false;
    return kIirTransmitEmpty | fifos;
  }
  return kIirNone | fifos;
}

std::uint8_t Serial::lineStatus() const {
  return kLsrTransmitEmpty | (state_.received.empty() ? 0 : kLsrDataReady);
}

void Serial::updateLine() {
  wiring_.interrupt.set(holdsInterrupt(state_));
}

std::size_t Serial::receive(std::span<const std::uint8_t> bytes) {
  const std::lock_guard lock(mutex_);
  const std::size_t taken = std::min(bytes.size(), kReceiveRoom - std::min(kReceiveRoom, state_.received.size()));
  state_.received.insert(state_.received.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(taken));
  updateLine();
  return taken;
}

SerialState Serial::save() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

}  // namespace qm
