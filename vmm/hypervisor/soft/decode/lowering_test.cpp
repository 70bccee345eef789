#include "vmm/hypervisor/soft/decode/lowering.h"

#include <algorithm>
#include <array>
#include <random>

#include <gtest/gtest.h>

namespace qm::soft {
namespace {

// Bytes of which many are instructions: prefixes and the maps' escapes come often.
std::array<std::byte, 15> likelyInstruction(std::mt19937& random) {
  constexpr std::array kStarts{0x66U, 0x67U, 0xf2U, 0xf3U, 0xf0U, 0x48U, 0x4fU,
                               0x64U, 0x0fU, 0x0fU, 0xc4U, 0xc5U, 0x8fU, 0x2eU};
  std::array<std::byte, 15> bytes{};
  std::ranges::generate(bytes, [&] { return static_cast<std::byte>(random()); });
  const std::size_t prefixes = random() % 5;
  for (std::size_t i = 0; i < prefixes; ++i) bytes[i] = static_cast<std::byte>(kStarts[random() % kStarts.size()]);
  return bytes;
}

// Whatever a guest executes, in whatever mode: it is refused or has handlers, and nothing fails a CHECK.
TEST(Lowering, EveryInstructionThatIsAcceptedHasHandlers) {
  std::mt19937 random(1);  // NOLINT: the same instructions each time
  const std::int32_t none = handlerDistance(nullptr);
  std::size_t accepted = 0;
  for (int i = 0; i < 400'000; ++i) {
    const std::array<std::byte, 15> bytes = likelyInstruction(random);
    const auto mode = static_cast<CodeSize>(random() % 3);
    Instruction instruction;
    if (decode(bytes, mode, instruction) != DecodeFailure::none) continue;
    const Lower lower = loweringFor(instruction);
    if (lower == nullptr) continue;
    std::array<Operation, 8> room{};
    Emitter emitter(room);
    emitter.begin(instruction, 0);
    if (!lower(instruction, emitter)) continue;
    ++accepted;
    for (std::size_t n = 0; n < emitter.operations(); ++n)
      ASSERT_NE(room[n].handler, none) << ZydisMnemonicGetString(instruction.mnemonic()) << " in mode "
                                       << static_cast<int>(mode) << ", case " << i;
  }
  EXPECT_GT(accepted, 100'000U);
}

}  // namespace
}  // namespace qm::soft
