#include "bench/load/system_calls.h"

#include <gtest/gtest.h>

namespace qm::bench {
namespace {

using std::chrono::seconds;
using std::chrono::system_clock;

const TracedStretch kStretch{.from = system_clock::time_point(seconds(1000)),
                             .to = system_clock::time_point(seconds(1002))};

CallCounts count(std::string_view text) {
  CallCounts counts;
  countCalls(text, kStretch, counts);
  return counts;
}

TEST(SystemCalls, AreCountedByNameWithinTheStretch) {
  EXPECT_EQ(count("999.999999 close(3) = 0\n1000.000001 close(3) = 0\n1001.5 pread64(4, \"(\", 1, 0) = 1\n"
                  "1001.6 close(4) = 0\n1002.000001 close(5) = 0\n"),
            (CallCounts{{"close", 2}, {"pread64", 1}}));
}

TEST(SystemCalls, SignalsEndsAndCutLinesAreNone) {
  EXPECT_EQ(count("1000.5 --- SIGTERM {si_signo=SIGTERM} ---\n1000.6 +++ exited with 0 +++\n1000.7 clo"), CallCounts{});
  EXPECT_EQ(count("1000.5 <... read resumed>) = 1\n\n(x\n1000.5"), CallCounts{});
}

TEST(SystemCalls, ALastLineWithoutItsEndCounts) {
  EXPECT_EQ(count("1000.5 futex(0x1) = 0"), (CallCounts{{"futex", 1}}));
}

TEST(SystemCalls, AreToldToEachRequest) {
  const std::string text = table({.daemon = {{"read", 30}, {"write", 10}}, .spawner = {}, .vms = {}}, 10);
  EXPECT_NE(text.find("4.0 system calls to each request: read 3.0 write 1.0"), std::string::npos) << text;
}

}  // namespace
}  // namespace qm::bench
