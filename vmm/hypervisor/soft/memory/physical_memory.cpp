#include "vmm/hypervisor/soft/memory/physical_memory.h"

#include <algorithm>

namespace qm::soft {

namespace {
struct Bit {
  std::size_t word;
  std::uint64_t mask;
};
Bit bitOf(std::uint64_t offset) {
  const std::uint64_t page = offset / kGuestPageBytes;
  return {static_cast<std::size_t>(page / 64), std::uint64_t{1} << page % 64};
}
}  // namespace

PhysicalMemory::Slot::Slot(const MemorySlot& slot)
    : index_(slot.index),
      start_(slot.start.value),
      host_(slot.host),
      watched_((slot.host.size() / kGuestPageBytes + 63) / 64) {
  setLogging(slot.dirtyLogging);
}

std::byte* PhysicalMemory::Slot::page(std::uint64_t physical) const {
  return host_.data() + ((physical - start_) & ~(kGuestPageBytes - 1));
}

bool PhysicalMemory::Slot::isWatched(std::uint64_t physical) const {
  const Bit bit = bitOf(physical - start_);
  return (watched_[bit.word].load(std::memory_order_acquire) & bit.mask) != 0;
}

void PhysicalMemory::Slot::watch(std::uint64_t physical) {
  const Bit bit = bitOf(physical - start_);
  watched_[bit.word].fetch_or(bit.mask, std::memory_order_acq_rel);
}

void PhysicalMemory::Slot::unwatch(std::uint64_t physical) {
  const Bit bit = bitOf(physical - start_);
  watched_[bit.word].fetch_and(~bit.mask, std::memory_order_acq_rel);
}

void PhysicalMemory::Slot::setLogging(DirtyLogging logging) {
  if (logging == DirtyLogging::off) {
    dirty_.reset();
  } else if (dirty_ == nullptr) {
    dirty_ = std::make_unique<DirtyBitmap>(host_.size());
  }
}

void PhysicalMemory::Slot::markDirty(std::uint64_t physical) {
  if (dirty_ != nullptr) dirty_->mark(physical - start_, 1);
}

std::vector<std::uint64_t> PhysicalMemory::Slot::takeDirty() {
  if (dirty_ == nullptr) return std::vector<std::uint64_t>((host_.size() / kGuestPageBytes + 63) / 64);
  return dirty_->take();
}

PhysicalMemory::Slot* PhysicalMemory::slot(std::uint32_t index) const {
  const auto found = std::ranges::find(slots_, index, [](const auto& slot) { return slot->index(); });
  return found == slots_.end() ? nullptr : found->get();
}

void PhysicalMemory::set(const MemorySlot& wanted) {
  Slot* there = slot(wanted.index);
  const bool same = there != nullptr && there->host().data() == wanted.host.data() &&
                    there->host().size() == wanted.host.size() && there->start() == wanted.start.value;
  if (same) {
    there->setLogging(wanted.dirtyLogging);
    return;
  }
  ++generation_;
  std::erase_if(slots_, [&](const auto& slot) { return slot->index() == wanted.index; });
  if (!wanted.host.empty()) slots_.push_back(std::make_unique<Slot>(wanted));
}

}  // namespace qm::soft
