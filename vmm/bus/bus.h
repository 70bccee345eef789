// Dispatches port and MMIO accesses to the devices that claimed the range. Built once, then frozen: after freeze()
// nothing changes, so vCPU threads look up without a lock, in O(log n).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "vmm/result/result.h"

namespace qm {

// A device as the bus sees it. It does not know where it is mapped. Called from vCPU threads, several at once: a target
// that has state guards it.
class BusTarget {
 public:
  virtual ~BusTarget() = default;
  // `bytes` is 1, 2, 4 or 8; offset + bytes lies within the claimed range. The value is in the low bytes.
  virtual std::uint64_t read(std::uint64_t offset, std::uint8_t bytes) = 0;
  virtual void write(std::uint64_t offset, std::uint8_t bytes, std::uint64_t value) = 0;
};

class Bus {
 public:
  // Claims [start, start + bytes) for a target that outlives the bus. Overlap, a wrapped range or 0 bytes is fixInput.
  Status attach(std::uint64_t start, std::uint64_t bytes, BusTarget& target, std::string name);
  void freeze();

  // After freeze(). An access that no target claims whole reads all ones and is lost when written, as on a real bus.
  // Answers whether a target took it.
  bool read(std::uint64_t address, std::uint8_t bytes, std::uint64_t& value) const;
  bool write(std::uint64_t address, std::uint8_t bytes, std::uint64_t value) const;

 private:
  struct Claim {
    std::uint64_t start;
    std::uint64_t bytes;
    BusTarget* target;
    std::string name;
  };
  const Claim* find(std::uint64_t address, std::uint8_t bytes) const;

  std::vector<Claim> claims_;  // ascending by start
  bool frozen_ = false;
};

}  // namespace qm
