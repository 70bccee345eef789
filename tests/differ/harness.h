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

}  // namespace qm::differ
