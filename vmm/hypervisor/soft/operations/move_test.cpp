#include "vmm/hypervisor/soft/operations/move.h"

#include <gtest/gtest.h>

#include "vmm/hypervisor/soft/testing/bare_processor.h"

namespace qm::soft {
namespace {

constexpr unsigned kRax = 0, kRsi = 6;

TEST(Move, SignExtensionInto16BitsReads16) {
  BareProcessor processor;
  processor.setPage(BareProcessor::kData + kPageBytes, BareProcessor::Page::absent);
  processor.gpr(kRsi) = BareProcessor::kData + kPageBytes - 2;
  processor.write<std::uint16_t>(BareProcessor::kData + kPageBytes - 2, 0x8001);
  ASSERT_TRUE(processor.finishes({0x66, 0x63, 0x06}));  // movsxd ax, [rsi]
  EXPECT_EQ(processor.gpr(kRax), 0x8001U);
}

}  // namespace
}  // namespace qm::soft
