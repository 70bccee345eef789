#include "vmm/hypervisor/soft/chips/pit.h"

#include <algorithm>

#include "vmm/hypervisor/soft/chips/tsc_time.h"

namespace qm::soft {

namespace {

constexpr std::uint64_t kHz = 1'193'182, kNsPerSecond = 1'000'000'000;
constexpr std::uint32_t kWholeCount = 0x1'0000;  // what a count of 0 means
constexpr std::uint16_t kControl = 0x43, kSpeaker = 0x61;
// In which half a counter's next access is: KVM's numbers. Low and high stand for themselves in `rwMode` too.
constexpr std::uint8_t kLow = 1, kHigh = 2, kLowThenHigh = 3, kHighOfBoth = 4;
constexpr std::uint32_t kSpeakerOn = 2;  // of Pit::flags, as KVM_PIT_FLAGS_SPEAKER_DATA_ON

// Modes 6 and 7 are 2 and 3.
std::uint8_t modeOf(const PitChannel& channel) {
  return channel.mode > 5 ? channel.mode & 3U : channel.mode;
}

std::uint64_t elapsed(const PitChannel& channel, std::uint64_t ns) {
  const std::uint64_t start = static_cast<std::uint64_t>(channel.countLoadTimeNs);
  return ns < start ? 0 : scaleDown(ns - start, kHz, kNsPerSecond);
}

// The counting element: modes 2 and 3 reload it, the others let it wrap. Mode 3 counts by two.
std::uint16_t counterAt(const PitChannel& channel, std::uint64_t ns) {
  const std::uint64_t passed = elapsed(channel, ns);
  switch (modeOf(channel)) {
    case 2:
      return static_cast<std::uint16_t>(channel.count - passed % channel.count);
    case 3:
      return static_cast<std::uint16_t>(channel.count - 2 * passed % channel.count);
    default:
      return static_cast<std::uint16_t>(channel.count - passed);
  }
}

bool outAt(const PitChannel& channel, std::uint64_t ns) {
  const std::uint64_t passed = elapsed(channel, ns);
  switch (modeOf(channel)) {
    case 0:
    case 1:
      return passed >= channel.count;
    case 2:
      return passed % channel.count != channel.count - 1;
    case 3:
      return passed % channel.count < (channel.count + 1) / 2;
    default:
      return passed != channel.count;
  }
}

void loadCount(PitChannel& channel, std::uint32_t count, std::uint64_t ns) {
  channel.count = count == 0 ? kWholeCount : count;
  channel.countLoadTimeNs = static_cast<std::int64_t>(ns);
}

void latchCount(PitChannel& channel, std::uint64_t ns) {
  if (channel.countLatched != 0) return;
  channel.latchedCount = counterAt(channel, ns);
  channel.countLatched = channel.rwMode;
}

void latchStatus(PitChannel& channel, std::uint64_t ns) {
  if (channel.statusLatched != 0) return;
  const unsigned out = outAt(channel, ns) ? 0x80U : 0U;
  channel.status =
      static_cast<std::uint8_t>(out | channel.rwMode * 16U | (channel.mode & 7U) << 1U | (channel.bcd & 1U));
  channel.statusLatched = 1;
}

// A snapshot's bytes, each within what the chip can have.
PitChannel sane(PitChannel channel) {
  channel.count = std::clamp(channel.count, 1U, kWholeCount);
  channel.rwMode = std::clamp(channel.rwMode, kLow, kLowThenHigh);
  channel.readState = std::clamp(channel.readState, kLow, kHighOfBoth);
  channel.writeState = std::clamp(channel.writeState, kLow, kHighOfBoth);
  channel.countLatched = std::min(channel.countLatched, kHighOfBoth);
  channel.gate &= 1U;
  return channel;
}

}  // namespace

PitChip::PitChip() {
  for (PitChannel& channel : channels_) {
    channel.count = kWholeCount;
    channel.mode = 0xff;  // none was set, as in KVM
    channel.rwMode = channel.readState = channel.writeState = kLow;
    channel.gate = 1;
  }
  channels_[2].gate = 0;
}

bool PitChip::ownsPort(std::uint16_t port) {
  return (port & ~3U) == 0x40 || port == kSpeaker;
}

std::uint8_t PitChip::read(std::uint16_t port, std::uint64_t ns) {
  if (port == kSpeaker) return readSpeaker(ns);
  if (!ownsPort(port) || port == kControl) return 0xff;
  return readCounter(channels_[port & 3U], ns);
}

void PitChip::write(std::uint16_t port, std::uint8_t value, std::uint64_t ns) {
  if (port == kSpeaker) {
    writeSpeaker(value, ns);
  } else if (port == kControl) {
    writeControl(value, ns);
  } else if (ownsPort(port)) {
    writeCounter(channels_[port & 3U], value, ns);
  }
}

void PitChip::writeControl(std::uint8_t value, std::uint64_t ns) {
  constexpr unsigned kReadBack = 3;
  const unsigned select = value >> 6U;
  if (select == kReadBack) {
    for (std::size_t i = 0; i < channels_.size(); ++i) {
      if ((value >> (i + 1) & 1U) == 0) continue;
      if ((value & 0x20U) == 0) latchCount(channels_[i], ns);
      if ((value & 0x10U) == 0) latchStatus(channels_[i], ns);
    }
    return;
  }
  PitChannel& channel = channels_[select];
  const std::uint8_t halves = value >> 4U & 3U;
  if (halves == 0) {
    latchCount(channel, ns);
    return;
  }
  channel.rwMode = channel.readState = channel.writeState = halves;
  channel.mode = value >> 1U & 7U;
  channel.bcd = value & 1U;
  channel.countLatched = channel.statusLatched = 0;
}

void PitChip::writeCounter(PitChannel& channel, std::uint8_t value, std::uint64_t ns) {
  switch (channel.writeState) {
    case kHigh:
      loadCount(channel, std::uint32_t{value} << 8U, ns);
      return;
    case kLowThenHigh:
      channel.writeLatch = value;
      channel.writeState = kHighOfBoth;
      return;
    case kHighOfBoth:
      loadCount(channel, channel.writeLatch | std::uint32_t{value} << 8U, ns);
      channel.writeState = kLowThenHigh;
      return;
    default:
      loadCount(channel, value, ns);
      return;
  }
}

std::uint8_t PitChip::readCounter(PitChannel& channel, std::uint64_t ns) {
  if (channel.statusLatched != 0) {
    channel.statusLatched = 0;
    return channel.status;
  }
  const bool isLatched = channel.countLatched != 0;
  const std::uint16_t count = isLatched ? channel.latchedCount : counterAt(channel, ns);
  std::uint8_t& state = isLatched ? channel.countLatched : channel.readState;
  const auto low = static_cast<std::uint8_t>(count), high = static_cast<std::uint8_t>(count >> 8U);
  switch (state) {
    case kHigh:
      if (isLatched) state = 0;
      return high;
    case kLowThenHigh:
      state = kHighOfBoth;
      return low;
    case kHighOfBoth:
      state = isLatched ? 0 : kLowThenHigh;
      return high;
    default:
      if (isLatched) state = 0;
      return low;
  }
}

// Bit 4 toggles with the refresh of memory, every 15 us.
std::uint8_t PitChip::readSpeaker(std::uint64_t ns) const {
  const PitChannel& channel = channels_[2];
  const unsigned refresh = static_cast<unsigned>(ns >> 14U & 1U);
  return static_cast<std::uint8_t>((channel.gate & 1U) | (speakerOn_ ? 2U : 0U) | refresh << 4U |
                                   (outAt(channel, ns) ? 0x20U : 0U));
}

void PitChip::writeSpeaker(std::uint8_t value, std::uint64_t ns) {
  PitChannel& channel = channels_[2];
  speakerOn_ = (value & 2U) != 0;
  const std::uint8_t gate = value & 1U;
  const bool isTriggered = gate != 0 && channel.gate == 0 && modeOf(channel) != 0 && modeOf(channel) != 4;
  if (isTriggered) channel.countLoadTimeNs = static_cast<std::int64_t>(ns);
  channel.gate = gate;
}

Pit PitChip::save() const {
  return {.channels = channels_, .flags = speakerOn_ ? kSpeakerOn : 0};
}

void PitChip::load(const Pit& state, std::uint64_t ns) {
  for (std::size_t i = 0; i < channels_.size(); ++i) {
    channels_[i] = sane(state.channels[i]);
    channels_[i].countLoadTimeNs = static_cast<std::int64_t>(ns);
  }
  speakerOn_ = (state.flags & kSpeakerOn) != 0;
}

}  // namespace qm::soft
