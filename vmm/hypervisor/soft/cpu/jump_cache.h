// Where the blocks of recent jump targets are, by virtual address: a hint that holds as long as nothing was flushed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "vmm/hypervisor/soft/cpu/operation.h"

namespace qm::soft {

class JumpCache {
 public:
  const Operation* find(std::uint64_t rip) const {
    const Entry& entry = entries_[slotOf(rip)];
    return entry.rip == rip && entry.generation == generation_ ? entry.block : nullptr;
  }
  void remember(std::uint64_t rip, const Operation* block) { entries_[slotOf(rip)] = {rip, generation_, block}; }
  // Pages or modes have changed: every hint is void.
  void forget() { ++generation_; }

 private:
  static constexpr std::size_t kEntries = 2048;
  struct Entry {
    std::uint64_t rip = 0;
    std::uint64_t generation = 0;  // 0: never
    const Operation* block = nullptr;
  };
  static std::size_t slotOf(std::uint64_t rip) { return (rip ^ rip >> 12U) % kEntries; }

  std::uint64_t generation_ = 1;
  std::array<Entry, kEntries> entries_{};
};

}  // namespace qm::soft
