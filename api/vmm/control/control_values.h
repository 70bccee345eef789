// The messages of the control channel as values; ranges are the schema's (control.capnp).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "api/vmm/request/answer.h"
#include "vmm/machine/machine_config.h"
#include "vmm/memory/page_run.h"

namespace qm::vmm::control {

// Where a VMM finds its end: whoever starts it gives it this number and says so by --control.
inline constexpr int kSocketNumber = 3;

inline constexpr std::uint16_t kVersion = 1;
inline constexpr std::size_t kMaxDisks = 64;
inline constexpr std::size_t kMaxTaps = 8;
inline constexpr std::uint64_t kMaxHintBytes = std::uint64_t{8} << 20U;  // of one file of code hints, either way

// A request of the REST interface, in its words. A file beside one that configures a network interface is its tap, and
// the host_dev_name then a mere name.
struct Ask {
  std::string method;
  std::string target;
  std::string body;
  bool operator==(const Ask&) const = default;
};

struct Disk {
  std::string id;
  std::uint8_t file = 0;
  bool operator==(const Disk&) const = default;
};

// Of a network interface.
struct Tap {
  std::string id;
  std::uint8_t file = 0;
  bool operator==(const Tap&) const = default;
};

// Restores a snapshot and lets it run. Files are named by their place among the descriptors beside the message.
struct Load {
  std::uint8_t state = 0;
  std::uint8_t memory = 1;
  std::vector<PageRun> memoryHoles;
  std::vector<Disk> disks;
  std::string vsockPath;  // empty: the machine has none
  Observing observing = Observing::no;
  WorkingSet workingSet;
  std::vector<Tap> taps;
  std::optional<std::uint8_t> code;  // prepared code, for hypervisors that have a use for it
  bool operator==(const Load&) const = default;
};

// The same in a VMM that has a guest from an earlier Load: that guest ends first, and nothing of it is left.
struct Reset {
  Load load;
  bool operator==(const Reset&) const = default;
};

// Pauses the guest. Beside it go two empty files: for a bit a page that was written, in words of 64 as the memory file
// has them, and for the hints of its code.
struct Observe {
  bool operator==(const Observe&) const = default;
};
inline constexpr std::size_t kObserveFiles = 2;

// Decodes a snapshot's code for all its clones, in a VMM without a guest. Beside it go the memory, an empty file for
// what is made, and the hints of one trial clone each.
struct Prepare {
  std::array<std::byte, 32> memorySha256{};
  bool operator==(const Prepare&) const = default;
};
inline constexpr std::size_t kLeastPrepareFiles = 3, kMostPrepareFiles = 18;

struct Request {
  std::uint64_t id = 0;
  std::variant<Ask, Load, Observe, Prepare, Reset> body;
  bool operator==(const Request&) const = default;
};

struct Reply {
  std::uint64_t id = 0;
  Answer answer;
  bool operator==(const Reply&) const = default;
};

}  // namespace qm::vmm::control
