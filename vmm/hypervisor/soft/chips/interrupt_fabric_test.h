// For the tests of the fabric: a machine that a guest has set up, and that counts who is called.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "vmm/hypervisor/soft/chips/interrupt_fabric.h"

namespace qm::soft::fabric_test {

inline constexpr std::uint32_t kGhz = 1'000'000;  // a TSC tick is a nanosecond
inline constexpr std::uint8_t kVector = 0x51;
inline constexpr std::uint32_t kEoi = 0xb0, kSvr = 0xf0, kEsr = 0x280, kIcr = 0x300, kIcrHigh = 0x310,
                               kLvtTimer = 0x320, kLint0 = 0x350, kInitial = 0x380, kDivide = 0x3e0;
inline constexpr std::uint32_t kMasked = 1U << 16U, kLevel = 1U << 15U, kDeadlineMode = 2U << 17U,
                               kPeriodic = 1U << 17U;
inline constexpr std::uint32_t kSelf = 1U << 18U, kAll = 2U << 18U, kOthers = 3U << 18U;
inline constexpr std::uint64_t kForever = std::numeric_limits<std::uint64_t>::max() - 1;

// A machine whose APICs are enabled, that counts how often each vCPU was called.
class Machine {
 public:
  explicit Machine(std::uint32_t cpus, PitModel pit = PitModel::absent) : fabric(pit, kGhz), calls(cpus) {
    for (std::uint32_t i = 0; i < cpus; ++i) {
      fabric.addCpu(i, {[this, i] { ++calls[i]; }});
      fabric.writeLocal(i, kSvr, 0x1ff, 0);
      fabric.writeLocal(i, kLint0, kMasked, 0);
    }
  }

  void route(std::uint32_t pin, std::uint32_t low, std::uint32_t destination = 0) {
    writeIo(0x10 + 2 * pin + 1, destination << 24U);
    writeIo(0x10 + 2 * pin, low);
  }
  void writeIo(std::uint32_t which, std::uint32_t value) {
    fabric.writeIo(0x00, which);
    fabric.writeIo(0x10, value);
  }
  void pulse(std::uint32_t gsi) {
    fabric.setLine(gsi, true);
    fabric.setLine(gsi, false);
  }
  void send(std::uint32_t from, std::uint32_t command, std::uint32_t destination = 0) {
    fabric.writeLocal(from, kIcrHigh, destination << 24U, 0);
    fabric.writeLocal(from, kIcr, command, 0);
  }
  void endInterrupt(std::uint32_t index) { fabric.writeLocal(index, kEoi, 0, 0); }
  std::optional<std::uint8_t> vector(std::uint32_t index, std::uint64_t tsc = 0) {
    return fabric.work(index, tsc).vector;
  }
  std::vector<std::optional<std::uint8_t>> vectors() {
    std::vector<std::optional<std::uint8_t>> all;
    for (std::uint32_t i = 0; i < calls.size(); ++i) all.push_back(vector(i));
    return all;
  }
  void setUpPic(std::uint8_t mask) {
    fabric.writePort(0x20, 0x11, 0);
    for (const unsigned value : {0x30U, 0x04U, 0x01U}) fabric.writePort(0x21, static_cast<std::uint8_t>(value), 0);
    fabric.writePort(0x21, mask, 0);
  }

  InterruptFabric fabric;
  std::vector<int> calls;
};

using Vectors = std::vector<std::optional<std::uint8_t>>;

}  // namespace qm::soft::fabric_test
