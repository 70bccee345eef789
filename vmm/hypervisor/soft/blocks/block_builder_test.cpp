#include "vmm/hypervisor/soft/blocks/block_builder.h"

#include <gtest/gtest.h>

#include "vmm/hypervisor/soft/testing/bare_processor.h"

namespace qm::soft {
namespace {

constexpr unsigned kRax = 0;

// The decoder has looked at the instruction that reaches into the next page before the block was closed.
TEST(BlockBuilder, ABlockGoesOnWithTheInstructionThatReachesIntoTheNextPage) {
  BareProcessor processor;
  // xor eax, eax; inc eax; lea rax, [rax + 64], whose last three bytes lie in the next page
  processor.setCode({0x31, 0xc0, 0xff, 0xc0, 0x48, 0x8d, 0x40, 0x40}, BareProcessor::kCode + kPageBytes - 5);
  processor.run();
  EXPECT_TRUE(processor.hasFinished());
  EXPECT_EQ(processor.gpr(kRax), 65U);
}

TEST(BlockBuilder, WhatFollowsAnInstructionInTwoPagesIsRun) {
  BareProcessor processor;
  // lea rax, [rip + 0x100]; inc eax
  processor.setCode({0x48, 0x8d, 0x05, 0x00, 0x01, 0x00, 0x00, 0xff, 0xc0}, BareProcessor::kCode + kPageBytes - 3);
  processor.run();
  EXPECT_TRUE(processor.hasFinished());
  EXPECT_EQ(processor.gpr(kRax), BareProcessor::kCode + kPageBytes - 3 + 7 + 0x100 + 1);
}

}  // namespace
}  // namespace qm::soft
