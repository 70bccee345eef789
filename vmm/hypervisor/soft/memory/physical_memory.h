// Guest-physical memory as the CPUs in software see it: the slots of the VM, which of their pages hold decoded
// instructions (watched: a write there makes them void), and which were written.
// Threads: slots change while the world stands still (World); everything else from any vCPU.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "vmm/hypervisor/hypervisor.h"
#include "vmm/memory/dirty_bitmap.h"

namespace qm::soft {

class PhysicalMemory {
 public:
  class Slot {
   public:
    explicit Slot(const MemorySlot& slot);

    std::uint32_t index() const { return index_; }
    bool contains(std::uint64_t physical) const { return physical - start_ < host_.size(); }
    std::span<std::byte> host() const { return host_; }
    std::uint64_t start() const { return start_; }
    // Host memory of the page that holds `physical`, which lies within.
    std::byte* page(std::uint64_t physical) const;

    bool isWatched(std::uint64_t physical) const;
    void watch(std::uint64_t physical);
    void unwatch(std::uint64_t physical);

    void setLogging(DirtyLogging logging);
    void markDirty(std::uint64_t physical);
    std::vector<std::uint64_t> takeDirty();

   private:
    std::uint32_t index_;
    std::uint64_t start_;
    std::span<std::byte> host_;
    std::vector<std::atomic<std::uint64_t>> watched_;  // a bit a page
    std::unique_ptr<DirtyBitmap> dirty_;               // none: not logged
  };

  // Nothing: a device's address, or nobody's.
  Slot* find(std::uint64_t physical) const {
    for (const auto& slot : slots_) {
      if (slot->contains(physical)) return slot.get();
    }
    return nullptr;
  }
  Slot* slot(std::uint32_t index) const;

  // While the world stands still. As Vm::setMemory.
  void set(const MemorySlot& wanted);
  // Changes whenever slots do: what was found before may be gone.
  std::uint64_t generation() const { return generation_; }

 private:
  std::vector<std::unique_ptr<Slot>> slots_;
  std::uint64_t generation_ = 0;
};

}  // namespace qm::soft
