#include "tests/differ/harness.h"

#include "tests/differ/layout.h"

extern "C" {
extern const std::uint8_t differHarness[], differHarnessEnd[], differEpilogue[], differLeave[], differGuestLeave[];
}

namespace qm::differ {

std::span<const std::uint8_t> harnessCode() {
  return {differHarness, differHarnessEnd};
}

std::uint64_t epilogueAddress() {
  return kSandbox + static_cast<std::uint64_t>(differEpilogue - differHarness);
}

std::uint64_t guestExitAddress() {
  return kSandbox + static_cast<std::uint64_t>(differGuestLeave - differHarness);
}

bool hostHasAvx() {
  return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
}

std::uint64_t nativeExitAddress() {
  return kSandbox + static_cast<std::uint64_t>(differLeave - differHarness);
}

}  // namespace qm::differ
