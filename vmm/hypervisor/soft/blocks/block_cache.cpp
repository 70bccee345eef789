#include "vmm/hypervisor/soft/blocks/block_cache.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include <Zydis/Mnemonic.h>
#include <fmt/format.h>

#include "vmm/hypervisor/soft/blocks/block_builder.h"
#include "vmm/hypervisor/soft/cpu/handler.h"
#include "vmm/hypervisor/soft/cpu/own_arithmetic.h"
#include "vmm/os/file_contents.h"
#include "vmm/result/check.h"

namespace qm::soft {

namespace {

// A million operations, of which only what is used takes memory. A guest that fills it begins anew.
constexpr std::size_t kOwnOperations = 1U << 20U;

// A block that became void: what is at its place is looked up.
const Operation* replaceStale(Cpu& cpu, const Operation* /*op*/, Flags& /*flags*/) {
  cpu.rip = cpu.gpr[kBlockRip];
  const Operation* block = cpu.blocks->find(cpu);
  return block != nullptr ? block : cpu.blocks->next(cpu);
}

QM_OPERATION void staleBlock(Cpu& cpu, const Operation* op, Flags flags, std::int64_t budget) {
  const Operation* next = replaceStale(cpu, op, flags);
  [[clang::musttail]] return handlerOf(next)(cpu, next, flags, budget);
}

std::uint64_t linearRip(const Cpu& cpu) {
  if (cpu.system.codeSize == CodeSize::bits64) return cpu.rip;
  return (cpu.rip + cpu.system.segments[static_cast<std::size_t>(SegmentName::cs)].base) & 0xffff'ffff;
}

}  // namespace

Result<std::unique_ptr<BlockCache>> BlockCache::create(OnUnmodelled onUnmodelled) {
  constexpr std::size_t kBytes = kMostPreparedBytes + kOwnOperations * sizeof(Operation);
  Mapping room = TRY(Mapping::anonymous(kBytes).during("reserving decoded blocks"));
  return std::unique_ptr<BlockCache>(new BlockCache(std::move(room), std::move(onUnmodelled)));
}

BlockCache::BlockCache(Mapping room, OnUnmodelled onUnmodelled)
    : room_(std::move(room)), onUnmodelled_(std::move(onUnmodelled)) {
  lookAgain_.handler = handlerDistance(&leaveBetween);
}

std::span<Operation> BlockCache::own() const {
  return {reinterpret_cast<Operation*>(room_.bytes().data() + kMostPreparedBytes), kOwnOperations};
}

Status BlockCache::adopt(const FileDescriptor& prepared) {
  CHECK(used_ == 0 && prepared_.operations().empty());
  if (!isSealed(prepared))
    return Error(Remedy::fixInput, "the prepared code is in a file that can be changed; seal it");
  const std::uint64_t bytes = TRY(fileBytes(prepared));
  if (bytes > kMostPreparedBytes)
    return Error(Remedy::fixInput, fmt::format("the prepared code has {} bytes, more than fit", bytes));
  std::byte* const at = room_.bytes().data();
  void* mapped = ::mmap(at, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, prepared.get(), 0);
  if (mapped != at) return systemError("mapping the prepared code", errno);
  prepared_ = TRY(PreparedBlocks::over({at, bytes}));
  // Nearly all of it is read, a page at a time it would cost more. Where the kernel cannot, it comes by faults.
  static_cast<void>(::madvise(at, bytes, MADV_POPULATE_READ));
  mustDrop_ = false;  // of the memory that the blocks are of: the one that is there
  return {};
}

const Operation* BlockCache::find(Cpu& cpu) {
  cpu.gpr[kBlockRip] = cpu.rip;
  if (mustDrop_) dropAll(cpu);
  if (const Operation* block = cpu.jumps->find(cpu.rip)) {
    if (block->handler != handlerDistance(&staleBlock)) return block;
  }
  const std::uint64_t linear = linearRip(cpu);
  const CodeTlb::Entry* page = codePage(cpu, linear);
  if (page == nullptr) return nullptr;
  const BlockKey key = blockKey(page->physicalPage | (linear & ~kPageMask), cpu.system);
  const Operation* block = findPrepared(key);
  if (block == nullptr) {
    const auto known = blocks_.find(key);
    block = known != blocks_.end() ? &own()[known->second.first] : decodeHere(cpu, *page, key);
  }
  if (block != nullptr) cpu.jumps->remember(cpu.rip, block, page->lifetime, page->size);
  return block;
}

// Null: none was, or it has become void.
const Operation* BlockCache::findPrepared(BlockKey key) const {
  const std::optional<std::uint32_t> first = prepared_.find(key);
  if (!first) return nullptr;
  const Operation* block = &prepared_.operations()[*first];
  return block->handler == handlerDistance(&staleBlock) ? nullptr : block;
}

const Operation* BlockCache::decodeHere(Cpu& cpu, const CodeTlb::Entry& page, BlockKey key) {
  const OwnArithmetic arithmetic;
  if (used_ + kMostOperations > kOwnOperations) dropAll(cpu);
  const std::span<Operation> room = own().subspan(used_, kMostOperations);
  const BuiltBlock built = buildBlock(cpu, {.page = page, .linear = linearRip(cpu)}, BlockLength::straightLine, room);
  if (built.operations == 0) return nullptr;
  blocks_[key] = {.first = static_cast<std::uint32_t>(used_),
                  .bytes = static_cast<std::uint32_t>(built.bytes),
                  .secondPage = built.secondPage};
  pages_[page.physicalPage].push_back(key);
  if (built.secondPage != 0) pages_[built.secondPage].push_back(key);
  used_ += built.operations;
  decodedInstructions_ += built.instructions;
  return room.data();
}

const Operation* BlockCache::next(Cpu& cpu) {
  if (cpu.stepping) return &lookAgain_;
  cpu.rip = cpu.gpr[kBlockRip];
  const Operation* block = find(cpu);
  if (block != nullptr) return block;
  cpu.stop = Stop::none;  // the loop will come upon the same fault
  return &lookAgain_;
}

const Operation* BlockCache::next(Cpu& cpu, const Operation* from, unsigned way) {
  const std::size_t usedBefore = used_;
  const Operation* block = next(cpu);
  const bool isLinkable = (from->third >> way & 1U) != 0 && block != &lookAgain_ && used_ >= usedBefore;
  if (isLinkable) {
    auto* const all = reinterpret_cast<Operation*>(room_.bytes().data());
    all[from - all].chain[way] = static_cast<std::int32_t>(block - from);
  }
  return block;
}

const Operation* BlockCache::single(Cpu& cpu) {
  cpu.gpr[kBlockRip] = cpu.rip;
  const std::uint64_t linear = linearRip(cpu);
  const CodeTlb::Entry* page = codePage(cpu, linear);
  if (page == nullptr) return nullptr;
  const BuiltBlock built = buildBlock(cpu, {.page = *page, .linear = linear}, BlockLength::oneInstruction, single_);
  return built.operations == 0 ? nullptr : single_.data();
}

void BlockCache::forgetPage(std::uint64_t physicalPage) {
  const OwnArithmetic arithmetic;
  for (const PreparedBlock& block : prepared_.blocksIn(physicalPage))
    prepared_.operations()[block.first].handler = handlerDistance(&staleBlock);
  const auto page = pages_.find(physicalPage);
  if (page == pages_.end()) return;
  for (const std::uint64_t key : page->second) {
    const auto block = blocks_.find(key);
    if (block == blocks_.end()) continue;  // one of two pages, forgotten with the other
    own()[block->second.first].handler = handlerDistance(&staleBlock);
    blocks_.erase(block);
  }
  pages_.erase(page);
}

// What is prepared, too: its links may lead into what is dropped.
void BlockCache::dropAll(Cpu& cpu) {
  prepared_ = {};
  blocks_.clear();
  pages_.clear();
  used_ = 0;
  mustDrop_ = false;
  for (JumpCache& jumps : cpu.jumpCaches) jumps.forget();
}

std::vector<CodeHint> BlockCache::hints(const PhysicalMemory& memory) const {
  std::vector<std::pair<std::uint32_t, CodeHint>> found;
  for (const auto& [key, block] : blocks_) {
    SystemState mode;
    CodeHint hint{.key = key, .secondPage = block.secondPage, .bytes = block.bytes};
    const std::optional<std::uint32_t> digest = codeDigest(memory, hint);
    if (!digest || !setMode(mode, key) || mode.codeSize != CodeSize::bits64) continue;
    hint.digest = *digest;
    found.emplace_back(block.first, hint);
  }
  std::ranges::sort(found, {}, &std::pair<std::uint32_t, CodeHint>::first);
  std::vector<CodeHint> hints;
  hints.reserve(found.size());
  for (const auto& [first, hint] : found) hints.push_back(hint);
  return hints;
}

void BlockCache::countUnmodelled(std::uint16_t mnemonic, std::uint64_t rip) {
  const OwnArithmetic arithmetic;
  if (unmodelled_[mnemonic]++ > 0 || !onUnmodelled_) return;
  const char* name = ZydisMnemonicGetString(static_cast<ZydisMnemonic>(mnemonic));
  onUnmodelled_(name != nullptr ? name : "?", rip);
}

const Operation* nextBlock(Cpu& cpu) {
  cpu.gpr[kBlockRip] = cpu.rip;
  return cpu.blocks->next(cpu);
}

const Operation* blockAfter(Cpu& cpu) {
  return cpu.blocks->next(cpu);
}

const Operation* blockAfter(Cpu& cpu, const Operation* from, unsigned way) {
  return cpu.blocks->next(cpu, from, way);
}

void countUnmodelled(Cpu& cpu, const Operation& op) {
  cpu.blocks->countUnmodelled(op.mnemonic, addressOf(cpu, op));
}

}  // namespace qm::soft
