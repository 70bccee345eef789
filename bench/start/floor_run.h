// What no VMM on KVM can beat: the program start-floor (floor.cpp), which makes a VM, runs it to a port write, and
// ends.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>

#include "bench/start/clock.h"
#include "vmm/result/result.h"

namespace qm::bench {

struct FloorRun {
  Clock::duration answer{};    // from before its process is started until it says that its guest has run
  Clock::duration teardown{};  // from there until it is reaped
};

Result<FloorRun> runFloor(const std::filesystem::path& program);

// How many of them a second, made one after the other by each of `workers` (at least 1) at once, for about `time`.
Result<double> floorRate(const std::filesystem::path& program, std::uint32_t workers, std::chrono::milliseconds time);

}  // namespace qm::bench
