#include "vmm/hypervisor/soft/blocks/block_cache.h"

#include <utility>

#include <Zydis/Mnemonic.h>

#include "vmm/hypervisor/soft/blocks/block_builder.h"
#include "vmm/hypervisor/soft/cpu/handler.h"
#include "vmm/hypervisor/soft/cpu/own_arithmetic.h"

namespace qm::soft {

namespace {

// A million operations, of which only what is used takes memory. A guest that fills it begins anew.
constexpr std::size_t kArenaOperations = 1U << 20U;

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

// What decoding depends on besides the bytes.
std::uint64_t modeBits(const SystemState& system) {
  return static_cast<std::uint64_t>(system.codeSize) | static_cast<std::uint64_t>(system.vectorUnit) << 2U |
         static_cast<std::uint64_t>(system.x87Unit) << 4U | static_cast<std::uint64_t>(system.mmxUnit) << 6U |
         static_cast<std::uint64_t>(system.vexUnit) << 8U;
}

std::uint64_t keyOf(const Cpu& cpu, const CodeTlb::Entry& page, std::uint64_t linear) {
  constexpr unsigned kModeShift = 52;  // physical addresses have fewer bits
  return (page.physicalPage | (linear & ~kPageMask)) | modeBits(cpu.system) << kModeShift;
}

}  // namespace

Result<std::unique_ptr<BlockCache>> BlockCache::create(OnUnmodelled onUnmodelled) {
  Mapping arena = TRY(Mapping::anonymous(kArenaOperations * sizeof(Operation)).during("reserving decoded blocks"));
  return std::unique_ptr<BlockCache>(new BlockCache(std::move(arena), std::move(onUnmodelled)));
}

BlockCache::BlockCache(Mapping arena, OnUnmodelled onUnmodelled)
    : arena_(std::move(arena)), onUnmodelled_(std::move(onUnmodelled)) {
  lookAgain_.handler = handlerDistance(&leaveBetween);
}

std::span<Operation> BlockCache::arena() const {
  return {reinterpret_cast<Operation*>(arena_.bytes().data()), kArenaOperations};
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
  const std::uint64_t key = keyOf(cpu, *page, linear);
  const auto known = blocks_.find(key);
  const Operation* block = known != blocks_.end() ? &arena()[known->second] : decodeHere(cpu, *page, key);
  if (block != nullptr) cpu.jumps->remember(cpu.rip, block, page->lifetime, page->size);
  return block;
}

const Operation* BlockCache::decodeHere(Cpu& cpu, const CodeTlb::Entry& page, std::uint64_t key) {
  const OwnArithmetic own;
  if (used_ + kMostOperations > kArenaOperations) dropAll(cpu);
  const std::span<Operation> room = arena().subspan(used_, kMostOperations);
  const BuiltBlock built = buildBlock(cpu, {.page = page, .linear = linearRip(cpu)}, BlockLength::straightLine, room);
  if (built.operations == 0) return nullptr;
  blocks_[key] = static_cast<std::uint32_t>(used_);
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
    const std::span<Operation> all = arena();
    const auto index = static_cast<std::size_t>(from - all.data());
    all[index].chain[way] = static_cast<std::int32_t>(block - from);
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
  const OwnArithmetic own;
  const auto page = pages_.find(physicalPage);
  if (page == pages_.end()) return;
  for (const std::uint64_t key : page->second) {
    const auto block = blocks_.find(key);
    if (block == blocks_.end()) continue;  // one of two pages, forgotten with the other
    arena()[block->second].handler = handlerDistance(&staleBlock);
    blocks_.erase(block);
  }
  pages_.erase(page);
}

void BlockCache::dropAll(Cpu& cpu) {
  blocks_.clear();
  pages_.clear();
  used_ = 0;
  mustDrop_ = false;
  for (JumpCache& jumps : cpu.jumpCaches) jumps.forget();
}

void BlockCache::countUnmodelled(std::uint16_t mnemonic, std::uint64_t rip) {
  const OwnArithmetic own;
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
