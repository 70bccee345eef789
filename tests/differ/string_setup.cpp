#include "tests/differ/string_setup.h"

#include <algorithm>
#include <vector>

namespace qm::differ {

namespace {

std::uint64_t chooseCount(Random& random) {
  switch (random.below(16)) {
    case 0:
      return 0;
    case 1:
      return 1;
    case 2:
      return random.below(4096);
    case 3:
      return random.next();  // ends in a fault, or where a comparison ends it
    case 4:
      return random.below(1U << 16U) << 16U | random.below(64);
    default:
      return random.below(48);
  }
}

// Equal bytes around both places, so that comparisons go on for a while.
void layEqualRun(Case& subject, std::span<const std::uint64_t> places, Random& random) {
  const std::uint64_t pattern = random.oneIn(2) ? random.byte() * 0x0101'0101'0101'0101U : random.next();
  const std::uint64_t words = random.below(64);
  for (const std::uint64_t place : places)
    for (std::uint64_t i = 0; i < words; ++i) poke64(subject, place + 8 * (i - words / 2), pattern);
  if (random.oneIn(2)) subject.state.gprs[at(Gpr::rax)] = pattern;
}

bool isInData(const Case& subject, std::uint64_t address) {
  constexpr std::uint64_t kMargin = 64;
  return address - subject.slotStart() - kDataAt - kMargin < kDataBytes - 2 * kMargin;
}

}  // namespace

bool setUpString(Case& subject, Aim& aim, Random& random) {
  const bool repeats = subject.instruction.has(ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE);
  std::vector<std::uint64_t> places;
  for (const ZydisDecodedOperand& operand : subject.instruction.operands()) {
    if (operand.type != ZYDIS_OPERAND_TYPE_MEMORY) continue;
    std::uint64_t place = aim.chooseTarget(operand.size / 8, subject.instruction.info.address_width == 64);
    const bool overlaps = !places.empty() && random.oneIn(3) && isInData(subject, places.front());
    if (overlaps) place = places.front() + random.below(65) - 32;
    if (!aim.operand(operand, place)) return false;
    aim.stayInside();  // of two operands that fault, which is first is nobody's promise
    places.push_back(place);
  }
  if (repeats && !aim.pin(Gpr::rcx, chooseCount(random))) return false;
  if (random.oneIn(3)) layEqualRun(subject, places, random);
  return true;
}

}  // namespace qm::differ
