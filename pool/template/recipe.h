// How a template is made: everything that decides what its snapshot holds, and how many clones are kept ready.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "pool/network/guest_network.h"
#include "pool/vm/vm_process.h"
#include "vmm/result/result.h"

namespace qm::pool {

using Command = std::vector<std::string>;  // argv

// What becomes of a VM that a tenant has done with.
enum class Reuse : std::uint8_t {
  destroy,
  reset,  // its process is made a clone of the template's moment again: a tenant who took the VMM itself over stays
};

constexpr std::string_view name(Reuse reuse) {
  return reuse == Reuse::reset ? "reset" : "destroy";
}

struct Recipe {
  std::string name;  // 1 to 63 of a-z 0-9 and dash, a letter first
  std::filesystem::path kernel;
  std::filesystem::path initrd;               // empty: none
  std::vector<std::filesystem::path> images;  // read-only, shared by all clones; the first is /dev/vda
  std::string bootArguments;
  std::uint8_t vcpus = 1;
  std::uint64_t memoryBytes = 128ULL << 20;
  std::string cpuTemplate = "qm-v1";
  std::vector<Command> warmUp;          // run in order before the snapshot; each must exit 0
  std::vector<Command> beforeSnapshot;  // hooks, run after the warm-up as the last thing before the freeze
  std::vector<Command> afterRestore;    // hooks, run as the last part of each clone's renewal
  std::vector<Command> rehearsal;       // what trial clones run, in order, so that it is known what clones will touch
  GuestNetwork network;
  std::uint32_t poolSize = 0;  // clones kept ready
  Reuse reuse = Reuse::destroy;
  ResourceLimits limits;
  bool operator==(const Recipe&) const = default;
};

// Whether the recipe makes sense by itself: names, counts, sizes, argv that are not empty. Opens no file.
Status check(const Recipe& recipe);

// Whether two recipes make the same snapshot: all but the number of clones kept ready, what becomes of used ones, and
// their limits.
bool makeSameSnapshot(const Recipe& a, const Recipe& b);

BootPlan bootPlan(const Recipe& recipe);
std::vector<DrivePlan> drivePlans(const Recipe& recipe);

}  // namespace qm::pool
