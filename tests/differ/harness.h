// The code between cases (harness.S), as C++ sees it.
#pragma once

#include <cstdint>
#include <span>

namespace qm::differ {

// What is copied to kSandbox.
std::span<const std::uint8_t> harnessCode();
// Addresses in the sandbox.
std::uint64_t epilogueAddress();
std::uint64_t nativeExitAddress();
std::uint64_t guestExitAddress();
// Whether programs of this host can use YMM registers. Where they cannot, neither side loads or stores upper halves,
// and there are no cases of AVX.
bool hostHasAvx();

}  // namespace qm::differ
