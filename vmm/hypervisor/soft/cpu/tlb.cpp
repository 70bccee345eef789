#include "vmm/hypervisor/soft/cpu/tlb.h"

#include <algorithm>

namespace qm::soft {

void Tlb::remember(std::size_t slot, Lifetime lifetime) {
  if (!isFilled_[slot]) {
    isFilled_[slot] = true;
    filled_.push_back(static_cast<std::uint16_t>(slot));
  }
  isGlobal_[slot] = lifetime == Lifetime::global;
}

void Tlb::fillRead(std::uint64_t address, std::uint64_t host, Lifetime lifetime) {
  const std::size_t slot = slotOf(address);
  const std::uint64_t page = address & kPageMask;
  // Both sides of a slot are of one page, so that its lifetime is that of both.
  if (write[slot].page != page) write[slot] = {};
  read[slot] = {.page = page, .addend = host - page};
  remember(slot, lifetime);
}

void Tlb::fillWrite(std::uint64_t address, std::uint64_t host, Lifetime lifetime) {
  const std::size_t slot = slotOf(address);
  const std::uint64_t page = address & kPageMask;
  if (read[slot].page != page) read[slot] = {};
  write[slot] = {.page = page, .addend = host - page};
  remember(slot, lifetime);
}

void Tlb::flush() {
  for (const std::uint16_t slot : filled_) read[slot] = write[slot] = {};
  filled_.clear();
  isFilled_.reset();
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
  const std::size_t slot = slotOf(address);
  const std::uint64_t page = address & kPageMask;
  if (read[slot].page == page) read[slot] = {};
  if (write[slot].page == page) write[slot] = {};
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
    if (!entry.isGlobal) entry = {};
  }
}

void CodeTlb::flushPage(std::uint64_t address) {
  Entry& entry = entries_[address / kPageBytes % kEntries];
  if (entry.page == (address & kPageMask)) entry = {};
}

}  // namespace qm::soft
