#include "bench/thousand/traces.h"

#include <unistd.h>

#include <gtest/gtest.h>

namespace qm::bench {
namespace {

TEST(Traces, ANumberIsFoundAfterItsKeyAlone) {
  const std::string_view text = "55-66 rollup\nRss:  900 kB\nPss:    12 kB\nPss_Dirty:  7 kB\n";
  EXPECT_EQ(numberAfter(text, "\nPss:"), 12U);
  EXPECT_EQ(numberAfter(text, "\nSwap:"), 0U);
  EXPECT_EQ(numberAfter("Pss:", "Pss:"), 0U);
}

TEST(Traces, AProcessThatIsNotThereHasNoMemoryAndIsNotCounted) {
  const Proportional sum = proportionalSetOf({::getpid(), -1});
  EXPECT_EQ(sum.processes, 1U);
  EXPECT_GT(sum.kib, 0U);
}

}  // namespace
}  // namespace qm::bench
