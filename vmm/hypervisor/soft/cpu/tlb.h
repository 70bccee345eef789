// What a vCPU remembers of its page walks. One table for each kind of access and privilege, so that a hit is one
// compare and one addition; what needs more care than that (devices, watched pages, page crossings) is never in a
// table. Threads: the vCPU's own, or anybody's while the world stands still.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace qm::soft {

inline constexpr std::uint64_t kPageBytes = 4096, kPageMask = ~(kPageBytes - 1);

struct TlbEntry {
  static constexpr std::uint64_t kEmpty = 1;  // no page begins there
  std::uint64_t page = kEmpty;                // virtual address of the page
  std::uint64_t addend = 0;                   // host address minus virtual address
};

// Data accesses of one privilege.
class Tlb {
 public:
  static constexpr std::size_t kEntries = 512;
  static constexpr std::size_t slotOf(std::uint64_t address) { return address / kPageBytes % kEntries; }

  std::array<TlbEntry, kEntries> read, write;

  enum class Lifetime : std::uint8_t { addressSpace, global };
  void fillRead(std::uint64_t address, std::uint64_t host, Lifetime lifetime);
  void fillWrite(std::uint64_t address, std::uint64_t host, Lifetime lifetime);
  void flush();           // all
  void flushNonGlobal();  // what a write to CR3 forgets
  void flushPage(std::uint64_t address);
  // The host page is not to be written without notice any more.
  void forgetWritesTo(std::uint64_t hostPage);
  void forgetWrites();

 private:
  void remember(std::size_t slot, Lifetime lifetime);

  std::vector<std::uint16_t> filled_;  // slots that may hold something, each once: a flush costs what was filled
  std::bitset<kEntries> isFilled_, isGlobal_;
};

// Instruction fetches of one privilege.
class CodeTlb {
 public:
  static constexpr std::size_t kEntries = 128;
  struct Entry {
    std::uint64_t page = TlbEntry::kEmpty;
    std::uint64_t physicalPage = 0;  // address
    const std::byte* host = nullptr;
    bool isGlobal = false;
  };

  const Entry* find(std::uint64_t address) const {
    const Entry& entry = entries_[address / kPageBytes % kEntries];
    return entry.page == (address & kPageMask) ? &entry : nullptr;
  }
  const Entry* fill(const Entry& entry) { return &(entries_[entry.page / kPageBytes % kEntries] = entry); }
  void flush() { entries_.fill({}); }
  void flushNonGlobal();
  void flushPage(std::uint64_t address);

 private:
  std::array<Entry, kEntries> entries_;
};

}  // namespace qm::soft
