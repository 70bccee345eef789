#include "bench/soft/cpu_time.h"

#include <unistd.h>

#include <chrono>

#include <gtest/gtest.h>

namespace qm::bench {
namespace {

std::chrono::nanoseconds ownTime() {
  return cpuTimeOf(::getpid()).value();
}

TEST(CpuTime, OfAProcessThatComputesGrowsAndOfNoProcessIsAnError) {
  const std::chrono::nanoseconds before = ownTime();
  while (ownTime() - before < std::chrono::milliseconds(2)) {
  }
  EXPECT_GE(ownTime() - before, std::chrono::milliseconds(2));
  EXPECT_FALSE(cpuTimeOf(0).has_value());
}

}  // namespace
}  // namespace qm::bench
