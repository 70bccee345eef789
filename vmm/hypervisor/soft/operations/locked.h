// Locked read-modify-write of guest memory (SDM 3A, 8.1.2): the host's own locked instruction on the host's address of
// the place. Within a page that is all there is to it, also across cache lines (a split lock is as slow as on the host,
// and correct). What has no single host address (two pages), or is a device's or a watched page's, is changed on a copy
// while the world stands still: no vCPU can see it half done; a device's host side can.
#pragma once

#include <cstdint>

#include "vmm/hypervisor/soft/cpu/cpu.h"
#include "vmm/hypervisor/soft/memory/access.h"
#include "vmm/hypervisor/soft/memory/world.h"

namespace qm::soft {

// `change` gets a T* and may be called once. False: stopped, and what it noted on the side is void.
template <class T, class Change>
inline bool lockedChange(Cpu& cpu, std::uint64_t address, Change&& change) {
  switch (probeWrite(cpu, address, sizeof(T))) {
    case Writability::plain:
      change(reinterpret_cast<T*>(writableBytes(cpu, address, sizeof(T))));
      return true;
    case Writability::stopped:
      return false;
    case Writability::special:
      break;
  }
  if (!cpu.stepping) return askToBeAlone(cpu);
  bool done = false;
  cpu.around.world.standStill(World::Caller::running, [&] {
    alignas(16) T value;
    if (!readLongWay(cpu, address, &value, sizeof value, Intent::readForWrite)) return;
    change(&value);
    done = writeLongWay(cpu, address, &value, sizeof value);
  });
  return done;
}

}  // namespace qm::soft
