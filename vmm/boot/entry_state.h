// The boot processor's registers at a kernel's first instruction, and the tables they point to.
#pragma once

#include "vmm/hypervisor/state.h"
#include "vmm/memory/guest_memory.h"
#include "vmm/result/result.h"

namespace qm::boot {

struct EntryState {
  Registers registers;
  SystemRegisters system;
  bool operator==(const EntryState&) const = default;
};

// Long mode by the Linux boot protocol: paging on with the first GiB mapped to itself, flat segments, RSI at the zero
// page. `reset` is the processor's state after reset, whose APIC base and the like are kept.
Result<EntryState> enterLongMode(GuestMemory& memory, const SystemRegisters& reset, GuestAddress entry);

// 32-bit protected mode by PVH: no paging, flat segments, EBX at the start info.
Result<EntryState> enterProtectedMode(GuestMemory& memory, const SystemRegisters& reset, GuestAddress entry);

}  // namespace qm::boot
