// Where the blocks of recent jump targets are, by virtual address: a hint that holds as long as nothing was flushed.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>

#include "vmm/hypervisor/soft/cpu/operation.h"
#include "vmm/hypervisor/soft/cpu/tlb.h"

namespace qm::soft {

class JumpCache {
 public:
  const Operation* find(std::uint64_t rip) const {
    const Entry& entry = entries_[slotOf(rip)];
    return entry.rip == rip && entry.generation == generation_ ? entry.block : nullptr;
  }
  // `lifetime` and `size` are those of the code's page.
  void remember(std::uint64_t rip, const Operation* block, Lifetime lifetime, PageSize size) {
    entries_[slotOf(rip)] = {rip, generation_, block};
    pages_[pageOf(rip)] = true;
    largePages_.note(rip, size);
    holdsNonGlobal_ |= lifetime != Lifetime::global;
  }

  // Pages or modes have changed: every hint is void.
  void forget() {
    ++generation_;
    pages_.reset();
    largePages_.clear();
    holdsNonGlobal_ = false;
  }
  // The same for a change of address spaces, and of one page: most of them have nothing to do with the code that is
  // running, the kernel's above all.
  void forgetNonGlobal() {
    if (holdsNonGlobal_) forget();
  }
  void forgetPage(std::uint64_t address) {
    if (pages_[pageOf(address)] || largePages_.around(address) != PageSize::bytes4K) forget();
  }

 private:
  static constexpr std::size_t kEntries = 2048;
  struct Entry {
    std::uint64_t rip = 0;
    std::uint64_t generation = 0;  // 0: never
    const Operation* block = nullptr;
  };
  static constexpr std::size_t kPages = 1024;
  static std::size_t pageOf(std::uint64_t rip) { return (rip / kPageBytes) % kPages; }
  static std::size_t slotOf(std::uint64_t rip) { return (rip ^ rip >> 12U) % kEntries; }

  std::uint64_t generation_ = 1;
  std::bitset<kPages> pages_;  // that hints may lie in, by what is left of their numbers
  LargePages largePages_;
  bool holdsNonGlobal_ = false;
  std::array<Entry, kEntries> entries_{};
};

}  // namespace qm::soft
