// Who has decoded what: the link between pages that are written and the vCPUs that hold instructions decoded from them.
// A page that holds decoded instructions is watched: no vCPU can write to it by its table of recent walks, so every
// write comes by here, and makes what was decoded void before the writer's next instruction.
// Threads: any; both calls make the world stand still if there is something to do.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "vmm/hypervisor/soft/memory/physical_memory.h"
#include "vmm/hypervisor/soft/memory/world.h"

namespace qm::soft {

class CodeWatch {
 public:
  CodeWatch(PhysicalMemory& memory, World& world) : memory_(memory), world_(world) {}

  // A vCPU's caches; called while the world stands still. Before any vCPU runs.
  struct Caches {
    std::function<void(std::uint64_t physicalPage)> forgetCode;
    std::function<void(const std::byte* hostPage)> forgetWrites;
  };
  void add(Caches caches) { caches_.push_back(std::move(caches)); }

  // The running vCPU is about to decode instructions of this page.
  void watch(PhysicalMemory::Slot& slot, std::uint64_t physical);
  // Bytes of memory have been written; nothing happens where no page of them is watched.
  void written(World::Caller caller, std::uint64_t physical, std::uint64_t bytes);

 private:
  PhysicalMemory& memory_;
  World& world_;
  std::vector<Caches> caches_;
};

}  // namespace qm::soft
