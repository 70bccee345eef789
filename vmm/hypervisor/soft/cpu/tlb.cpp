#include "vmm/hypervisor/soft/cpu/tlb.h"

#include <algorithm>

namespace qm::soft {

namespace {

// Whether two addresses lie in one page of this size.
bool areTogether(std::uint64_t a, std::uint64_t b, PageSize size) {
  return (a ^ b) >> shiftOf(size) == 0;
}

}  // namespace

void Tlb::remember(std::uint64_t address, Kind kind) {
  const std::size_t slot = slotOf(address);
  if (!isFilled_[slot]) {
    isFilled_[slot] = true;
    filled_.push_back(static_cast<std::uint16_t>(slot));
  }
  isGlobal_[slot] = kind.lifetime == Lifetime::global;
  largePages_.note(address, kind.size);
}

void Tlb::fillRead(std::uint64_t address, std::uint64_t host, Kind kind) {
  const std::size_t slot = slotOf(address);
  const std::uint64_t page = address & kPageMask;
  // Both sides of a slot are of one page, so that its lifetime is that of both.
  if (write[slot].page != page) write[slot] = {};
  read[slot] = {.page = page, .addend = host - page};
  remember(address, kind);
}

void Tlb::fillWrite(std::uint64_t address, std::uint64_t host, Kind kind) {
  const std::size_t slot = slotOf(address);
  const std::uint64_t page = address & kPageMask;
  if (read[slot].page != page) read[slot] = {};
  write[slot] = {.page = page, .addend = host - page};
  remember(address, kind);
}

void Tlb::flush() {
  for (const std::uint16_t slot : filled_) read[slot] = write[slot] = {};
  filled_.clear();
  isFilled_.reset();
  largePages_.clear();
}

void Tlb::flushNonGlobal() {
  std::erase_if(filled_, [this](std::uint16_t slot) {
    if (isGlobal_[slot]) return false;
    read[slot] = write[slot] = {};
    isFilled_[slot] = false;
    return true;
  });
}

void Tlb::flushPage(std::uint64_t address) {
  const PageSize size = largePages_.around(address);
  const auto forget = [&](std::size_t slot) {
    if (areTogether(read[slot].page, address, size)) read[slot] = {};
    if (areTogether(write[slot].page, address, size)) write[slot] = {};
  };
  if (size == PageSize::bytes4K) {
    forget(slotOf(address));
  } else {
    for (const std::uint16_t slot : filled_) forget(slot);
  }
}

void Tlb::forgetWritesTo(std::uint64_t hostPage) {
  for (const std::uint16_t slot : filled_) {
    TlbEntry& entry = write[slot];
    if (entry.page != TlbEntry::kEmpty && entry.page + entry.addend == hostPage) entry = {};
  }
}

void Tlb::forgetWrites() {
  for (const std::uint16_t slot : filled_) write[slot] = {};
}

void CodeTlb::flushNonGlobal() {
  for (Entry& entry : entries_) {
    if (entry.lifetime != Lifetime::global) entry = {};
  }
}

void CodeTlb::flushPage(std::uint64_t address) {
  const PageSize size = largePages_.around(address);
  const auto forget = [&](Entry& entry) {
    if (areTogether(entry.page, address, size)) entry = {};
  };
  if (size == PageSize::bytes4K) {
    forget(entries_[address / kPageBytes % kEntries]);
  } else {
    std::ranges::for_each(entries_, forget);
  }
}

}  // namespace qm::soft
