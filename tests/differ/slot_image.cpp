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
  std::ranges::copy(subject.data, slot.begin() + kDataAt);
  std::ranges::copy(subject.stack, slot.begin() + kStackAt);

  const std::span<std::uint8_t> code = slot.subspan(kCodeAt, kCodeBytes);
  std::ranges::fill(code, kInt3);
  std::array<std::uint8_t, ZYDIS_MAX_INSTRUCTION_LENGTH + 5> bytes;
  const auto instruction = subject.instruction.code();
  auto end = std::ranges::copy(instruction, bytes.begin()).out;
  *end++ = kJump;
  const auto distance = static_cast<std::uint32_t>(epilogueAddress() - (subject.state.entry + instruction.size() + 5));
  std::memcpy(&*end, &distance, 4);
  const std::uint64_t at = subject.state.entry - subject.slotStart() - kCodeAt;
  CHECK(at < code.size());
  std::memcpy(code.data() + at, bytes.data(), std::min<std::size_t>(instruction.size() + 5, code.size() - at));
}

void readSlot(std::span<const std::uint8_t> slot, Outcome& outcome) {
  CHECK(slot.size() == kSlotBytes);
  std::memcpy(&outcome.state, slot.data() + kStateAt + DIFFER_OUT, sizeof outcome.state);
  std::ranges::copy(slot.subspan(kDataAt, kDataBytes), outcome.data.begin());
  std::ranges::copy(slot.subspan(kStackAt, kStackBytes), outcome.stack.begin());
}

}  // namespace qm::differ
