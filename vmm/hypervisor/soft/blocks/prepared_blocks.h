// Blocks that were decoded before anybody ran them, as bytes that can be mapped anywhere: operations, a table to find
// them by, and the pages that they were decoded from. Made by prepare_blocks.h; a BlockCache takes them over.
//
// Trust: operations are distances to functions, so whoever can write these bytes decides what a process executes. They
// are written by a process without a guest, from a snapshot's verified memory, and mapped only from a file that nobody
// can change any more (a memfd with its write seals). sealed() checks every index and a checksum, which finds damage,
// not malice: bytes that lie on a disk meanwhile are kept by digest, like the snapshot. over() looks at the header
// alone, which names the program whose functions are meant.
//
// Layout: header, padded to a page; operations; pages that hold blocks (open addressing, linear, at most half full);
// the blocks, by page. So that looking one up touches two lines of memory that blocks of the same page share: one table
// of all blocks took a tenth of what a clone executes in waiting for memory.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "vmm/hypervisor/soft/blocks/block_key.h"
#include "vmm/hypervisor/soft/blocks/semantics_id.h"
#include "vmm/hypervisor/soft/cpu/operation.h"
#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm::soft {

// SHA-256 of a snapshot's memory file.
using MemoryDigest = std::array<std::byte, 32>;

struct PreparedHeader {
  static constexpr std::uint64_t kMagic = 0x534b'434f'4c42'4d51;  // "QMBLOCKS"
  static constexpr std::uint32_t kVersion = 1;
  std::uint64_t magic = kMagic;
  std::uint32_t version = kVersion;
  std::uint32_t operations = 0, slots = 0, pages = 0, blocks = 0, instructions = 0;  // slots: those of pages
  std::uint64_t checksum = 0;  // of all bytes from the operations on
  SemanticsId semantics{};
  MemoryDigest memory{};
};

// Ordered by what stands before `first`.
struct PreparedBlock {
  std::uint16_t offset = 0;  // of its first instruction from the page's start
  std::uint16_t mode = 0;    // BlockKey's, all above the address
  std::uint32_t first = 0;   // operation
};

// From `blocks` on: those that begin in the page, in order; then those that reach into it from the page before.
struct PreparedPage {
  std::uint64_t physical = 0;
  std::uint32_t blocks = 0;
  std::uint16_t beginning = 0, reaching = 0;  // both 0: an empty slot
  bool isEmpty() const { return beginning == 0 && reaching == 0; }
};

class PreparedBlocks {
 public:
  // Nothing prepared.
  PreparedBlocks() = default;
  // Over bytes that outlive it, aligned to a page. fixInput: not of this program's making, or not that long.
  static Result<PreparedBlocks> over(std::span<std::byte> bytes);

  // The whole file checked, in any program, and put where it cannot be changed any more. fixInput: damaged, or of
  // another memory.
  static Result<FileDescriptor> sealed(std::span<const std::byte> bytes, const MemoryDigest& memory);

  // Counted in operations; nothing: not among them.
  std::optional<std::uint32_t> find(BlockKey key) const;
  // All that must go when a page changes.
  std::span<const PreparedBlock> blocksIn(std::uint64_t physicalPage) const;
  // With empty slots among them.
  std::span<const PreparedPage> pages() const { return pages_; }
  std::span<Operation> operations() const { return operations_; }

  static constexpr std::size_t kOperationsAt = 4096;
  // Where a page is looked for first, of `slots`, a power of two.
  static std::size_t slotOf(std::uint64_t physicalPage, std::size_t slots);
  static std::uint64_t checksumOf(std::span<const std::byte> bytes);

 private:
  static PreparedBlocks of(const PreparedHeader& header, std::span<std::byte> bytes);
  const PreparedPage* findPage(std::uint64_t physicalPage) const;

  std::span<Operation> operations_;
  std::span<const PreparedPage> pages_;
  std::span<const PreparedBlock> blocks_;
};

// Most bytes of a file of them.
inline constexpr std::size_t kMostPreparedBytes = std::size_t{32} << 20U;

}  // namespace qm::soft
