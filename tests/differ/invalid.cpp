#include "tests/differ/invalid.h"

#include <algorithm>
#include <array>

#include "tests/differ/start_state.h"

namespace qm::differ {

namespace {

using Bytes = std::vector<std::uint8_t>;

std::uint8_t low(std::uint64_t value) {
  return static_cast<std::uint8_t>(value);
}

// #UD: SDM 2A, 2.1.1 (LOCK), and the instructions' own pages.
Bytes lockedInVain(const Inventory& inventory, const Codec& codec, Random& random) {
  static constexpr std::array kFamilies{Family::alu,       Family::shift,  Family::move,
                                        Family::bit,       Family::muldiv, Family::sse_move,
                                        Family::sse_arith, Family::bmi,    Family::x87_arith};
  const auto entries = inventory.of(random.pick(kFamilies));
  const auto made = codec.instantiate(random.pick(entries[random.below(entries.size())].forms), random);
  if (!made) return {};
  Bytes bytes{0xf0};
  bytes.insert(bytes.end(), made->code().begin(), made->code().end());
  return bytes;
}

// SDM 2D, table A-2: "i64".
Bytes takenAway(Random& random) {
  static constexpr std::array<std::uint8_t, 20> kOpcodes{0x06, 0x07, 0x0e, 0x16, 0x17, 0x1e, 0x1f, 0x27, 0x2f, 0x37,
                                                         0x3f, 0x60, 0x61, 0x82, 0x9a, 0xce, 0xd4, 0xd5, 0xd6, 0xea};
  return {random.pick(kOpcodes), random.byte()};
}

// Opcodes that are defined nowhere, and forms of defined ones without a meaning.
Bytes reserved(Random& random) {
  static constexpr std::array<std::uint8_t, 14> kTwoBytes{0x04, 0x0a, 0x0c, 0x24, 0x25, 0x26, 0x27,
                                                          0x36, 0x39, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f};
  const auto withReg = [&](std::uint8_t opcode, std::uint64_t reg) {
    return Bytes{opcode, low(random.below(2) * 0xc0 | reg << 3U | random.below(4))};
  };
  switch (random.below(7)) {
    case 0:
      return {0x8d, low(0xc0 | random.below(64))};  // lea of a register
    case 1:
      return withReg(0xff, 7);
    case 2:
      return withReg(0xfe, 2 + random.below(6));
    case 3:
      return withReg(low(0xc6 + random.below(2)), 1 + random.below(6));
    case 4:
      return {low(0xd8 + random.below(8)), low(0xc0 | random.below(64))};
    case 5:
      return {0x0f, 0xc7, low(0xc8 | random.below(8))};  // cmpxchg8b of a register
    default:
      return {0x0f, random.pick(kTwoBytes)};
  }
}

// #GP(0) beyond 15 bytes (SDM 2A, 2.3.11), which any valid instruction can be with enough prefixes.
Bytes tooLong(Random& random) {
  static constexpr std::array<std::uint8_t, 6> kPrefixes{0x2e, 0x36, 0x3e, 0x26, 0x66, 0x64};
  Bytes bytes;
  const std::size_t prefixes = 15 + random.below(3);
  while (bytes.size() < prefixes) bytes.push_back(random.pick(kPrefixes));
  bytes.push_back(random.oneIn(2) ? 0x90 : 0xf8);
  return bytes;
}

Bytes chooseBytes(const Inventory& inventory, const Codec& codec, Random& random) {
  switch (random.below(8)) {
    case 0:
      return takenAway(random);
    case 1:
      return tooLong(random);
    case 2:
    case 3:
      return reserved(random);
    default:
      return lockedInVain(inventory, codec, random);
  }
}

bool isInvalid(const Codec& codec, const Bytes& bytes) {
  std::array<std::uint8_t, ZYDIS_MAX_INSTRUCTION_LENGTH> padded{};
  std::ranges::copy(std::span(bytes).first(std::min(bytes.size(), padded.size())), padded.begin());
  return !bytes.empty() && !codec.decode(padded);
}

}  // namespace

void makeInvalid(Case& subject, const Inventory& inventory, const Codec& codec,
                 std::span<const std::uint8_t> background, Random& random) {
  do {
    subject.program = chooseBytes(inventory, codec, random);
  } while (!isInvalid(codec, subject.program));
  subject.instruction = {};
  fillState(subject, background, random);
  const std::uint64_t offset =
      random.oneIn(8) ? kPage - random.below(subject.program.size()) : 256 + random.below(4096);
  subject.state.entry = subject.slotStart() + kCodeAt + offset;
}

}  // namespace qm::differ
