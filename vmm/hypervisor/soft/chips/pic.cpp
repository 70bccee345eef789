#include "vmm/hypervisor/soft/chips/pic.h"

namespace qm::soft {

namespace {

constexpr std::uint8_t kCascade = 2, kSpurious = 7;
// 82371 4.1: lines 0, 1, 2, 8 and 13 are edges always.
constexpr std::array<std::uint8_t, 2> kElcrMask{0xf8, 0xde};

// What the next write to the odd port is.
constexpr std::uint8_t kReady = 0, kIcw2 = 1, kIcw3 = 2, kIcw4 = 3;

constexpr std::uint8_t bit(std::uint8_t line) {
  return static_cast<std::uint8_t>(1U << (line & 7U));
}
void set(std::uint8_t& bits, std::uint8_t mask) {
  bits = static_cast<std::uint8_t>(bits | mask);
}
void clear(std::uint8_t& bits, std::uint8_t mask) {
  bits = static_cast<std::uint8_t>(bits & ~mask);
}

// How far each line is from the one of the highest priority, which is `priorityAdd`; 8 when the set is empty.
std::uint8_t bestRank(const Pic& chip, std::uint8_t lines) {
  std::uint8_t rank = 0;
  while (rank < 8 && (lines & bit(static_cast<std::uint8_t>(rank + chip.priorityAdd))) == 0) ++rank;
  return rank;
}
std::uint8_t lineAt(const Pic& chip, std::uint8_t rank) {
  return static_cast<std::uint8_t>((rank + chip.priorityAdd) & 7U);
}

void setChipLine(Pic& chip, std::uint8_t line, bool raised) {
  const std::uint8_t mask = bit(line);
  const bool isLevel = (chip.elcr & mask) != 0;
  const bool wasUp = (chip.lastIrr & mask) != 0;
  if (raised) {
    if (isLevel || !wasUp) set(chip.irr, mask);
    set(chip.lastIrr, mask);
  } else {
    if (isLevel) clear(chip.irr, mask);
    clear(chip.lastIrr, mask);
  }
}

void acknowledgeLine(Pic& chip, std::uint8_t line) {
  if ((chip.elcr & bit(line)) == 0) clear(chip.irr, bit(line));
  if (chip.autoEoi == 0) {
    set(chip.isr, bit(line));
  } else if (chip.rotateOnAutoEoi != 0) {
    chip.priorityAdd = (line + 1) & 7U;
  }
}

// ICW1. The edge detectors are reset: a line must fall before it can rise again.
void initialise(Pic& chip, std::uint8_t value) {
  chip.irr = static_cast<std::uint8_t>(chip.irr & chip.elcr);
  chip.imr = chip.isr = chip.priorityAdd = chip.specialMask = chip.readRegSelect = chip.poll = 0;
  chip.init4 = value & 1U;
  if (chip.init4 == 0) chip.specialFullyNestedMode = chip.autoEoi = chip.rotateOnAutoEoi = 0;
  chip.initState = kIcw2;
}

void writeOcw2(Pic& chip, std::uint8_t value) {
  constexpr unsigned kSpecific = 2, kRotate = 4;  // 1 ends an interrupt
  const unsigned command = value >> 5U;
  std::uint8_t line = value & 7U;
  switch (command) {
    case 0:
    case kRotate:
      chip.rotateOnAutoEoi = command == kRotate ? 1 : 0;
      return;
    case kSpecific:  // no operation
      return;
    case kRotate | kSpecific:
      chip.priorityAdd = (line + 1) & 7U;
      return;
    default:
      break;
  }
  if ((command & kSpecific) == 0) {
    // In special mask mode what is masked is not ended.
    const std::uint8_t ended = static_cast<std::uint8_t>(chip.isr & ~(chip.specialMask != 0 ? chip.imr : 0));
    const std::uint8_t rank = bestRank(chip, ended);
    if (rank == 8) return;
    line = lineAt(chip, rank);
  }
  clear(chip.isr, bit(line));
  if ((command & kRotate) != 0) chip.priorityAdd = (line + 1) & 7U;
}

void writeOcw3(Pic& chip, std::uint8_t value) {
  if ((value & 0x04U) != 0) chip.poll = 1;
  if ((value & 0x02U) != 0) chip.readRegSelect = value & 1U;
  if ((value & 0x40U) != 0) chip.specialMask = value >> 5U & 1U;
}

void writeOddPort(Pic& chip, std::uint8_t value) {
  switch (chip.initState) {
    case kIcw2:
      chip.irqBase = value & 0xf8U;
      chip.initState = kIcw3;
      return;
    case kIcw3:  // where the other chip is: fixed in a PC
      chip.initState = chip.init4 != 0 ? kIcw4 : kReady;
      return;
    case kIcw4:
      chip.specialFullyNestedMode = value >> 4U & 1U;
      chip.autoEoi = value >> 1U & 1U;
      chip.initState = kReady;
      return;
    default:
      chip.imr = value;
      return;
  }
}

void writeElcr(Pic& chip, std::uint8_t value) {
  chip.elcr = value & chip.elcrMask;
  // A level is requested as long as its line is up.
  chip.irr = static_cast<std::uint8_t>((chip.irr & ~chip.elcr) | (chip.lastIrr & chip.elcr));
}

// A snapshot's bytes, each within what the chip can have.
Pic sane(Pic chip, std::uint8_t elcrMask) {
  chip.priorityAdd &= 7U;
  chip.irqBase &= 0xf8U;
  chip.initState &= 3U;
  for (std::uint8_t* flag : {&chip.readRegSelect, &chip.poll, &chip.specialMask, &chip.autoEoi, &chip.rotateOnAutoEoi,
                             &chip.specialFullyNestedMode, &chip.init4}) {
    *flag = *flag != 0 ? 1 : 0;
  }
  chip.elcrMask = elcrMask;
  chip.elcr &= elcrMask;
  return chip;
}

}  // namespace

PicPair::PicPair() {
  for (std::size_t i = 0; i < chips_.size(); ++i) chips_[i].elcrMask = kElcrMask[i];
}

void PicPair::setLine(std::uint32_t line, bool raised) {
  if (line >= 16 || line == kCascade) return;
  setChipLine(chips_[line / 8], static_cast<std::uint8_t>(line % 8), raised);
  update();
}

// The line that interrupts what is in service, if any.
std::optional<std::uint8_t> PicPair::highestRequest(std::size_t chip) const {
  const Pic& pic = chips_[chip];
  const std::uint8_t rank = bestRank(pic, static_cast<std::uint8_t>(pic.irr & ~pic.imr));
  std::uint8_t serving = pic.isr;
  if (pic.specialMask != 0) clear(serving, pic.imr);
  if (pic.specialFullyNestedMode != 0 && chip == kPrimary) clear(serving, bit(kCascade));
  if (rank >= bestRank(pic, serving)) return std::nullopt;
  return lineAt(pic, rank);
}

void PicPair::update() {
  Pic& primary = chips_[kPrimary];
  if (highestRequest(kSecondary)) {
    set(primary.irr, bit(kCascade));
  } else {
    clear(primary.irr, bit(kCascade));
  }
  output_ = highestRequest(kPrimary).has_value();
}

PicPair::Choice PicPair::choose() const {
  const std::uint8_t line = highestRequest(kPrimary).value_or(kSpurious);
  if (line != kCascade) return {line, std::nullopt, static_cast<std::uint8_t>(chips_[kPrimary].irqBase + line)};
  const std::uint8_t second = highestRequest(kSecondary).value_or(kSpurious);
  return {line, second, static_cast<std::uint8_t>(chips_[kSecondary].irqBase + second)};
}

std::optional<std::uint8_t> PicPair::vector() const {
  return output_ ? std::optional(choose().vector) : std::nullopt;
}

std::uint8_t PicPair::acknowledge() {
  const Choice choice = choose();
  if (output_) {
    acknowledgeLine(chips_[kPrimary], choice.primaryLine);
    if (choice.secondaryLine) acknowledgeLine(chips_[kSecondary], *choice.secondaryLine);
    update();
  }
  return choice.vector;
}

bool PicPair::ownsPort(std::uint16_t port) {
  return (port & ~0x81U) == 0x20 || (port & ~1U) == 0x4d0;
}

// The poll word: bit 7 says that there is a request, and the read acknowledges it.
std::uint8_t PicPair::poll(std::size_t chip) {
  chips_[chip].poll = 0;
  const std::optional<std::uint8_t> line = highestRequest(chip);
  if (!line) return 0;
  acknowledgeLine(chips_[chip], *line);
  update();
  return 0x80U | *line;
}

std::uint8_t PicPair::read(std::uint16_t port) {
  if (!ownsPort(port)) return 0xff;
  if (port >= 0x4d0) return chips_[port & 1U].elcr;
  const std::size_t index = port >> 7U & 1U;
  const Pic& chip = chips_[index];
  if (chip.poll != 0) return poll(index);
  if ((port & 1U) != 0) return chip.imr;
  return chip.readRegSelect != 0 ? chip.isr : chip.irr;
}

void PicPair::write(std::uint16_t port, std::uint8_t value) {
  if (!ownsPort(port)) return;
  Pic& chip = chips_[port >= 0x4d0 ? port & 1U : port >> 7U & 1U];
  if (port >= 0x4d0) {
    writeElcr(chip, value);
  } else if ((port & 1U) != 0) {
    writeOddPort(chip, value);
  } else if ((value & 0x10U) != 0) {
    initialise(chip, value);
  } else if ((value & 0x08U) != 0) {
    writeOcw3(chip, value);
  } else {
    writeOcw2(chip, value);
  }
  update();
}

void PicPair::save(Pic& primary, Pic& secondary) const {
  primary = chips_[kPrimary];
  secondary = chips_[kSecondary];
}

void PicPair::load(const Pic& primary, const Pic& secondary) {
  chips_ = {sane(primary, kElcrMask[kPrimary]), sane(secondary, kElcrMask[kSecondary])};
  update();
}

}  // namespace qm::soft
