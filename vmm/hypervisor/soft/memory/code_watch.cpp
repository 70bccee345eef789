#include "vmm/hypervisor/soft/memory/code_watch.h"

namespace qm::soft {

void CodeWatch::watch(PhysicalMemory::Slot& slot, std::uint64_t physical) {
  if (slot.isWatched(physical)) return;
  world_.standStill(World::Caller::running, [&] {
    slot.watch(physical);
    for (const Caches& caches : caches_) caches.forgetWrites(slot.page(physical));
  });
}

void CodeWatch::written(World::Caller caller, std::uint64_t physical, std::uint64_t bytes) {
  const std::uint64_t first = physical & ~(kGuestPageBytes - 1);
  for (std::uint64_t page = first; page < physical + bytes; page += kGuestPageBytes) {
    PhysicalMemory::Slot* slot = memory_.find(page);
    if (slot == nullptr || !slot->isWatched(page)) continue;
    world_.standStill(caller, [&] {
      for (const Caches& caches : caches_) caches.forgetCode(page);
      slot->unwatch(page);
    });
  }
}

}  // namespace qm::soft
