// Which code a guest has run, as a list for preparing it (prepare_blocks.h). The list comes from a process that a guest
// ran in: whoever reads it checks each entry, and believes none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "vmm/hypervisor/soft/blocks/block_key.h"
#include "vmm/hypervisor/soft/memory/physical_memory.h"
#include "vmm/result/result.h"

namespace qm::soft {

struct CodeHint {
  BlockKey key = 0;
  std::uint64_t secondPage = 0;  // physical, of an instruction that reaches into it; 0: none
  std::uint32_t bytes = 0;       // of the block's instructions
  std::uint32_t digest = 0;      // of these bytes, when the list was made
  bool operator==(const CodeHint&) const = default;
};

// A list has at most so many; what is beyond is left out.
inline constexpr std::size_t kMostHints = 65'536;

std::vector<std::byte> encodeHints(std::span<const CodeHint> hints);
// fixInput: no such list, or a longer one.
Result<std::vector<CodeHint>> decodeHints(std::span<const std::byte> bytes);

// What the digest of a hint would be by this memory; nothing: its bytes are not in RAM, or are more than a block has.
std::optional<std::uint32_t> codeDigest(const PhysicalMemory& memory, const CodeHint& hint);

}  // namespace qm::soft
