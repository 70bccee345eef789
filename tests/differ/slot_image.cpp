#include "tests/differ/slot_image.h"

#include <algorithm>
#include <cstring>

#include "tests/differ/harness.h"
#include "vmm/result/check.h"

namespace qm::differ {

void writeSlot(const Case& subject, std::span<std::uint8_t> slot) {
  CHECK(slot.size() == kSlotBytes);
  constexpr std::uint8_t kInt3 = 0xcc, kJump = 0xe9;
  const StoredState unset;
  std::memcpy(slot.data() + kStateAt, &subject.state, sizeof subject.state);
  std::memcpy(slot.data() + kStateAt + DIFFER_OUT, &unset, sizeof unset);
  std::memcpy(slot.data() + kDataAt, subject.data.data(), kDataBytes);
  std::memcpy(slot.data() + kStackAt, subject.stack.data(), kStackBytes);

  const std::span<std::uint8_t> code = slot.subspan(kCodeAt, kCodeBytes);
  std::memset(code.data(), kInt3, code.size());
  const std::uint64_t at = subject.state.entry - subject.slotStart() - kCodeAt;
  CHECK(at < code.size() && subject.program.size() <= code.size() - at);
  if (!subject.program.empty()) {
    std::memcpy(code.data() + at, subject.program.data(), subject.program.size());
    return;
  }
  std::array<std::uint8_t, ZYDIS_MAX_INSTRUCTION_LENGTH + 5> bytes;
  const auto instruction = subject.instruction.code();
  auto end = std::ranges::copy(instruction, bytes.begin()).out;
  *end++ = kJump;
  const auto distance = static_cast<std::uint32_t>(epilogueAddress() - (subject.state.entry + instruction.size() + 5));
  std::memcpy(&*end, &distance, 4);
  std::memcpy(code.data() + at, bytes.data(), std::min<std::size_t>(instruction.size() + 5, code.size() - at));
}

void readSlot(std::span<const std::uint8_t> slot, Outcome& outcome) {
  CHECK(slot.size() == kSlotBytes);
  std::memcpy(&outcome.state, slot.data() + kStateAt + DIFFER_OUT, sizeof outcome.state);
  std::memcpy(outcome.data.data(), slot.data() + kDataAt, kDataBytes);
  std::memcpy(outcome.stack.data(), slot.data() + kStackAt, kStackBytes);
}

}  // namespace qm::differ
