// What an instruction asks of devices: ports and addresses that are no memory. The VMM answers between two runs, so an
// instruction that needs an answer is begun again once it is there, and finds its earlier accesses in this list; so an
// instruction may ask for any number of them, and none is made twice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace qm::soft {

struct DeviceAccess {
  enum class Space : std::uint8_t { memory, port };
  enum class Direction : std::uint8_t { read, write };
  Space space = Space::memory;
  Direction direction = Direction::read;
  std::uint64_t address = 0;
  std::uint8_t bytes = 0;   // 1, 2, 4; in memory also 8
  std::uint64_t value = 0;  // written, or the answer
};

struct DeviceAccesses {
  std::vector<DeviceAccess> done;      // of the instruction under way, in order
  std::size_t next = 0;                // the one that its repetition comes to
  std::optional<DeviceAccess> wanted;  // to be made by the VMM
  bool isUnderWay() const { return !done.empty() || wanted.has_value(); }
};

}  // namespace qm::soft
