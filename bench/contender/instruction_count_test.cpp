#include "bench/contender/instruction_count.h"

#include <gtest/gtest.h>

namespace qm::bench {
namespace {

TEST(InstructionCount, IsTheLogsLastWord) {
  EXPECT_EQ(instructionsIn("2026-01-31T10:00:00.123Z info vm.started id=a\nhello\n"
                           "2026-01-31T10:00:01.123Z info cpu.ended instructions=33000000 decoded=70000\n"),
            33'000'000U);
}

TEST(InstructionCount, IsNoneWhereTheLogHasNone) {
  EXPECT_EQ(instructionsIn("2026-01-31T10:00:01.123Z info vm.ended id=a reason=reset\n"), std::nullopt);
  EXPECT_EQ(instructionsIn("x cpu.ended instructions=many\n"), std::nullopt);
}

}  // namespace
}  // namespace qm::bench
