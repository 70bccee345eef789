#include "bench/soft/computation.h"

#include <gtest/gtest.h>

namespace qm::bench {
namespace {

TEST(ParseAnswer, TakesTimeAndCheckOfTheNamedComputation) {
  EXPECT_EQ(parseAnswer("crc32", "crc32 1500 cc1c6b13\n").value(),
            (Answer{.time = std::chrono::nanoseconds(1500), .check = "cc1c6b13"}));
}

TEST(ParseAnswer, RefusesWhatIsNoAnswer) {
  for (const char* output : {"", "crc32", "crc32 1500", "crc32 1500 \n", "crc32 1500 ab", "crc32 0 ab\n",
                             "crc32 -5 ab\n", "crc32 x ab\n", "crc32x 1500 ab\n", "qsort 1500 ab\n"}) {
    EXPECT_FALSE(parseAnswer("crc32", output).has_value()) << output;
  }
}

}  // namespace
}  // namespace qm::bench
