#include "vmm/hypervisor/soft/decode/instruction.h"

#include <array>

#include <gtest/gtest.h>

namespace qm::soft {
namespace {

TEST(Decode, NoBaseIsNoBaseWithRexAnd32BitAddresses) {
  // lea eax, [r14d + 0x12345678]: REX.XB, a SIB whose base is 101
  constexpr std::array<unsigned char, 9> kBytes{0x67, 0x43, 0x8d, 0x04, 0x35, 0x78, 0x56, 0x34, 0x12};
  Instruction instruction;
  ASSERT_EQ(decode(std::as_bytes(std::span(kBytes)), CodeSize::bits64, instruction), DecodeFailure::none);
  const auto& memory = instruction.operand(1).mem;
  EXPECT_EQ(memory.base, ZYDIS_REGISTER_NONE);
  EXPECT_EQ(memory.index, ZYDIS_REGISTER_R14D);
  EXPECT_TRUE(memory.disp.has_displacement);
  EXPECT_EQ(memory.disp.value, 0x1234'5678);
}

}  // namespace
}  // namespace qm::soft
