// A vCPU's decoded blocks: straight-line runs of operations, by the physical address and the mode of their first
// instruction. A block lies within one page, or is one instruction that reaches into the next.
//
// Blocks that became void stay where they are until everything is dropped: their first operation then looks up what
// is there. So neither a link from another block nor the run of one is ever left hanging.
//
// Blocks that were prepared for the snapshot a guest comes from (prepared_blocks.h) are found before anything is
// decoded. They lie in the same reservation, in front of the cache's own, as a private mapping: what links or voids
// them copies their page.
// Threads: the vCPU's; forgetPage() from anybody while the world stands still.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "vmm/hypervisor/soft/blocks/block_key.h"
#include "vmm/hypervisor/soft/blocks/code_hints.h"
#include "vmm/hypervisor/soft/blocks/prepared_blocks.h"
#include "vmm/hypervisor/soft/cpu/cpu.h"
#include "vmm/hypervisor/soft/cpu/operation.h"
#include "vmm/os/mapping.h"
#include "vmm/result/result.h"

namespace qm::soft {

class BlockCache {
 public:
  // Called for the first of each instruction that is not modelled, with its name and address.
  using OnUnmodelled = std::function<void(std::string_view mnemonic, std::uint64_t rip)>;
  static Result<std::unique_ptr<BlockCache>> create(OnUnmodelled onUnmodelled);

  // Blocks that need not be decoded any more; before the first find(). The caller watches their pages.
  Status adopt(const FileDescriptor& prepared);
  std::span<const PreparedPage> preparedPages() const { return prepared_.pages(); }

  // The block at cpu.rip, which becomes the running one. Null: the fetch faulted (cpu.stop).
  const Operation* find(Cpu& cpu);
  // What comes after a block that has ended, at gpr[kBlockRip]; never null: lookAgain() where find() is the loop's to
  // call. The second form remembers the link from `from` (`way` of Operation::chain) where it is one within a page.
  const Operation* next(Cpu& cpu);
  const Operation* next(Cpu& cpu, const Operation* from, unsigned way);
  // One instruction by itself, at cpu.rip, which is not kept. Null: the fetch faulted.
  const Operation* single(Cpu& cpu);

  // What was decoded from this physical page is void.
  void forgetPage(std::uint64_t physicalPage);
  // Everything is: what lies behind physical addresses has changed. Takes effect at the next find().
  void forgetAll() { mustDrop_ = true; }

  std::uint64_t decodedInstructions() const { return decodedInstructions_; }
  // What it has decoded and still has, in the order in which it was decoded; code of 64 bits alone.
  std::vector<CodeHint> hints(const PhysicalMemory& memory) const;
  // How often each instruction that is not modelled was met, by Zydis's number.
  const std::unordered_map<std::uint16_t, std::uint64_t>& unmodelled() const { return unmodelled_; }
  void countUnmodelled(std::uint16_t mnemonic, std::uint64_t rip);

 private:
  struct Block {
    std::uint32_t first = 0;  // operation, in own()
    std::uint32_t bytes = 0;
    std::uint64_t secondPage = 0;  // as BuiltBlock
  };

  BlockCache(Mapping room, OnUnmodelled onUnmodelled);
  std::span<Operation> own() const;
  const Operation* findPrepared(BlockKey key) const;
  const Operation* decodeHere(Cpu& cpu, const CodeTlb::Entry& page, BlockKey key);
  void dropAll(Cpu& cpu);

  Mapping room_;  // reserved: for what is prepared, then for operations of its own, used from the start up
  PreparedBlocks prepared_;
  std::size_t used_ = 0;
  bool mustDrop_ = false;
  boost::unordered_flat_map<BlockKey, Block> blocks_;
  boost::unordered_flat_map<std::uint64_t, std::vector<BlockKey>> pages_;  // physical page → keys of its blocks
  std::array<Operation, 16> single_{};
  Operation lookAgain_;
  std::uint64_t decodedInstructions_ = 0;
  std::unordered_map<std::uint16_t, std::uint64_t> unmodelled_;
  OnUnmodelled onUnmodelled_;
};

}  // namespace qm::soft
