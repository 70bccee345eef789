#include "vmm/hypervisor/soft/prepared_code.h"

#include "vmm/hypervisor/soft/blocks/code_hints.h"
#include "vmm/hypervisor/soft/blocks/prepare_blocks.h"
#include "vmm/hypervisor/soft/blocks/prepared_blocks.h"
#include "vmm/hypervisor/soft/memory/physical_memory.h"

namespace qm {

Result<std::vector<std::byte>> prepareSoftCode(const GuestMemory& memory, const MemoryDigest& digest,
                                               std::span<const std::vector<std::byte>> hints) {
  std::vector<soft::CodeHint> all;
  for (const std::vector<std::byte>& list : hints) {
    const std::vector<soft::CodeHint> some = TRY(soft::decodeHints(list));
    all.insert(all.end(), some.begin(), some.end());
  }
  soft::PhysicalMemory physical;
  std::uint32_t index = 0;
  for (const GuestMemory::Region& region : memory.regions())
    physical.set({.index = index++, .start = region.range.start, .host = region.host});
  return soft::prepareBlocks(physical, digest, all);
}

Result<FileDescriptor> sealSoftCode(std::span<const std::byte> prepared, const MemoryDigest& digest) {
  return soft::PreparedBlocks::sealed(prepared, digest);
}

}  // namespace qm
