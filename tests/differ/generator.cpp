#include "tests/differ/generator.h"

#include "tests/differ/invalid.h"
#include "tests/differ/sequence.h"
#include "tests/differ/setup.h"
#include "tests/differ/start_state.h"
#include "tests/differ/undefined.h"
#include "vmm/result/check.h"

namespace qm::differ {

namespace {

// Far above what any form needs: a wrong form shows as this limit, not as a hang.
constexpr int kTries = 100'000;

// Where in the code area: room on both sides for short branches; sometimes across the pages' boundary, seldom at the
// end, so that the rest of the instruction cannot be fetched.
std::uint64_t chooseCodeOffset(std::size_t length, Random& random) {
  if (random.oneIn(8)) return kPage - random.below(length);
  if (random.oneIn(200)) return kCodeBytes - 1 - random.below(length);
  return 256 + random.below(kCodeBytes - 512);
}

}  // namespace

Generator::Generator() : background_(kDataBytes + kStackBytes + kPage) {
  Random random(0x6261'636b);
  for (std::uint8_t& byte : background_) byte = random.byte();
}

Case Generator::make(const CaseSeed& seed) const {
  Random random(seed.number ^ mix(static_cast<std::uint64_t>(seed.family)));
  Case made;
  made.seed = seed;
  if (isSequence(seed.family) || seed.family == Family::invalid) {
    const auto make = isSequence(seed.family) ? makeSequence : makeInvalid;
    make(made, inventory_, codec_, background_, random);
    return made;
  }
  const auto entries = inventory_.of(seed.family);
  CHECK(!entries.empty());
  const Inventory::Entry& entry = entries[random.below(entries.size())];
  int tries = 0;
  while (!tryMake(made, entry, random)) CHECK(++tries < kTries);
  return made;
}

std::optional<Case> Generator::makeOf(const Inventory::Entry& entry, const CaseSeed& seed) const {
  Random random(seed.number);
  Case made;
  made.seed = seed;
  for (int i = 0; i < kTries; ++i)
    if (tryMake(made, entry, random)) return made;
  return {};
}

bool Generator::tryMake(Case& subject, const Inventory::Entry& entry, Random& random) const {
  const std::optional<Instruction> instruction = codec_.instantiate(random.pick(entry.forms), random);
  if (!instruction || instruction->info.mnemonic != entry.mnemonic) return false;
  const auto verdict = classify(instruction->info, instruction->operands().data());
  if (std::holds_alternative<Refusal>(verdict)) return false;
  subject.instruction = *instruction;
  subject.state.entry = subject.slotStart() + kCodeAt + chooseCodeOffset(instruction->info.length, random);
  fillState(subject, background_, random);
  if (!setUp(subject, random) || hasUndefinedResult(subject)) return false;
  // Displacements and immediates may have been patched.
  const std::optional<Instruction> patched = codec_.decode(subject.instruction.bytes);
  if (!patched || patched->info.length != subject.instruction.info.length) return false;
  subject.instruction = *patched;
  return true;
}

}  // namespace qm::differ
