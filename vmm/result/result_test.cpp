#include "vmm/result/result.h"

#include <cerrno>

#include <gtest/gtest.h>

#include "vmm/result/check.h"

namespace qm {
namespace {

Result<int> half(int number) {
  if (number % 2 != 0) return Error(Remedy::fixInput, "the number is odd");
  return number / 2;
}

Result<int> quarter(int number) {
  const int once = TRY(half(number).during("halving once"));
  return half(once).during("halving twice");
}

TEST(Result, TryHandsTheValueOn) {
  EXPECT_EQ(quarter(12).value(), 3);
}

TEST(Result, ContextReadsFromTheOutermostStepInwards) {
  const auto result = quarter(7).during("quartering 7");
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().text(), "quartering 7: halving once: the number is odd");
  EXPECT_EQ(result.error().remedy(), Remedy::fixInput);
}

TEST(Error, AShortageOnTheHostAsksForARetry) {
  EXPECT_EQ(systemError("mmap", ENOMEM).remedy(), Remedy::retry);
  EXPECT_EQ(systemError("open /dev/kvm", EACCES).remedy(), Remedy::giveUp);
  EXPECT_EQ(systemError("open /dev/kvm", EACCES).text(), "open /dev/kvm: Permission denied");
}

TEST(CheckDeathTest, ABrokenInvariantEndsTheProcessAndNamesTheCondition) {
  const int used = 2;
  EXPECT_DEATH(CHECK(used < 1), "CHECK failed: used < 1 at .*result_test.cpp");
}

}  // namespace
}  // namespace qm
