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

// How long a translation is remembered, and how much of memory it is one of.
enum class Lifetime : std::uint8_t { addressSpace, global };
enum class PageSize : std::uint8_t { bytes4K, bytes2M, bytes1G };
constexpr unsigned shiftOf(PageSize size) {
  return 12 + 9 * static_cast<unsigned>(size);
}

// Of which large pages parts are remembered. INVLPG of any address in a large page means all its parts, of 4 KiB here
// (SDM 3A, 4.10.2.3), and when it comes, the tables that would tell how large the page was have changed already.
class LargePages {
 public:
  void note(std::uint64_t address, PageSize size) {
    if (size == PageSize::bytes2M) regions_[regionOf(address)] = true;
    if (size == PageSize::bytes1G) hasHuge_ = true;
  }
  // The largest page around an address that parts may be remembered of.
  PageSize around(std::uint64_t address) const {
    if (hasHuge_) return PageSize::bytes1G;
    return regions_[regionOf(address)] ? PageSize::bytes2M : PageSize::bytes4K;
  }
  void clear() {
    regions_.reset();
    hasHuge_ = false;
  }

 private:
  static constexpr std::size_t kRegions = 512;
  static std::size_t regionOf(std::uint64_t address) { return (address >> shiftOf(PageSize::bytes2M)) % kRegions; }
  std::bitset<kRegions> regions_;  // by what is left of the address of 2 MiB
  bool hasHuge_ = false;
};

// Data accesses of one privilege.
class Tlb {
 public:
  static constexpr std::size_t kEntries = 512;
  static constexpr std::size_t slotOf(std::uint64_t address) { return address / kPageBytes % kEntries; }

  std::array<TlbEntry, kEntries> read, write;

  struct Kind {
    Lifetime lifetime = Lifetime::addressSpace;
    PageSize size = PageSize::bytes4K;
  };
  void fillRead(std::uint64_t address, std::uint64_t host, Kind kind);
  void fillWrite(std::uint64_t address, std::uint64_t host, Kind kind);
  void flush();           // all
  void flushNonGlobal();  // what a write to CR3 forgets
  void flushPage(std::uint64_t address);
  // The host page is not to be written without notice any more.
  void forgetWritesTo(std::uint64_t hostPage);
  void forgetWrites();

 private:
  void remember(std::uint64_t address, Kind kind);

  std::vector<std::uint16_t> filled_;  // slots that may hold something, each once: a flush costs what was filled
  std::bitset<kEntries> isFilled_, isGlobal_;
  LargePages largePages_;
};

// Instruction fetches of one privilege.
class CodeTlb {
 public:
  static constexpr std::size_t kEntries = 128;
  struct Entry {
    std::uint64_t page = TlbEntry::kEmpty;
    std::uint64_t physicalPage = 0;  // address
    const std::byte* host = nullptr;
    Lifetime lifetime = Lifetime::addressSpace;
    PageSize size = PageSize::bytes4K;
  };

  const Entry* find(std::uint64_t address) const {
    const Entry& entry = entries_[address / kPageBytes % kEntries];
    return entry.page == (address & kPageMask) ? &entry : nullptr;
  }
  const Entry* fill(const Entry& entry) {
    largePages_.note(entry.page, entry.size);
    return &(entries_[entry.page / kPageBytes % kEntries] = entry);
  }
  void flush() {
    entries_.fill({});
    largePages_.clear();
  }
  void flushNonGlobal();
  void flushPage(std::uint64_t address);

 private:
  std::array<Entry, kEntries> entries_;
  LargePages largePages_;
};

}  // namespace qm::soft
