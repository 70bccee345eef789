// A VMM whose guest does one hostile deed, and what must hold afterwards whatever the deed was.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "tests/service/lone_vmm.h"

namespace qm::test {

struct HostilePlan {
  std::string deed;
  std::filesystem::path kernel;
  std::filesystem::path init;  // of its initramfs; empty: there is none
  std::string tap = {};        // of its network device; empty: there is none
  bool hasDisk = false;
};
// Linux, with the guest of tests/attack/guest as its init.
HostilePlan linuxGuest(const std::string& deed);

class HostileGuest {
 public:
  explicit HostileGuest(const HostilePlan& plan);

  std::string console() const;
  std::string log() const;
  bool hasSaid(const std::string& line) const { return console().contains(line); }
  bool hasEnded() const { return vmm.process().waitForEnd(std::chrono::steady_clock::now()); }
  // The most that the VMM ever had, guest's memory and all.
  std::uint64_t peakMemoryMib() const;

  LoneVmm vmm;
  const std::string deed;
};

// Another VM on the same host, which is to notice nothing.
class Neighbour {
 public:
  Neighbour();
  // Answers as it did at first, and soon.
  void expectTheSameAnswer();

 private:
  LoneVmm vmm_;
  std::uint64_t nonce_ = 0;
};

// Deeds, each by its name, beside a neighbour that all of a suite share.
class HostileBesideNeighbour : public testing::TestWithParam<const char*> {
 protected:
  static void SetUpTestSuite() { neighbour_ = std::make_unique<Neighbour>(); }
  static void TearDownTestSuite() { neighbour_.reset(); }
  static Neighbour& neighbour() { return *neighbour_; }

 private:
  static inline std::unique_ptr<Neighbour> neighbour_;
};

// A guest that does the plan's deed again and again is saved amid it, and goes on in another VMM.
void expectGoesOnInAnotherVmm(HostilePlan plan);

// The deed is done, or was the end of its VMM; that has a reason and is not an accident; what it cost is bounded.
void expectLeavesItsVmmAliveOrEndedWithAReason(HostileGuest& guest);

}  // namespace qm::test
