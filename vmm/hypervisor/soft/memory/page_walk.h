// From a virtual address to a physical one, as the processor's tables say (SDM 3A, chapter 4).
// Modelled: no paging; 4-level paging with 4 KiB, 2 MiB and 1 GiB pages; U/S, R/W, NX, CR0.WP, SMEP, SMAP, accessed and
// dirty flags set atomically; reserved bits.
// Not modelled: 32-bit and PAE paging outside long mode (no guest of ours gets there: it is refused where CR0.PG is
// set), 5 levels, protection keys, memory types.
#pragma once

#include <cstdint>
#include <expected>

#include "vmm/hypervisor/soft/cpu/cpu.h"
#include "vmm/hypervisor/soft/cpu/use.h"
#include "vmm/hypervisor/soft/memory/physical_memory.h"

namespace qm::soft {

struct Translation {
  std::uint64_t physical = 0;
  bool isWritable = false;  // a write needs no other walk: allowed, and the dirty flag is set
  Lifetime lifetime = Lifetime::addressSpace;
  PageSize size = PageSize::bytes4K;
};

// `address` is canonical. The fault is a #PF; nothing was changed but accessed flags.
std::expected<Translation, Fault> translate(Cpu& cpu, std::uint64_t address, Use use, Privilege privilege);

constexpr bool isCanonical(std::uint64_t address) {
  return static_cast<std::uint64_t>(static_cast<std::int64_t>(address << 16U) >> 16U) == address;
}

}  // namespace qm::soft
