#include "vmm/hypervisor/soft/blocks/prepare_blocks.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <map>
#include <memory>
#include <utility>

#include "vmm/hypervisor/soft/blocks/block_builder.h"
#include "vmm/hypervisor/soft/chips/interrupt_fabric.h"
#include "vmm/hypervisor/soft/memory/code_watch.h"
#include "vmm/hypervisor/soft/memory/world.h"
#include "vmm/hypervisor/soft/time/guest_clock.h"

namespace qm::soft {

namespace {

constexpr std::size_t kMostPrepared = std::size_t{1} << 19U;  // operations: half of the file

// A processor that decodes and runs nothing: in ring 0, with physical memory at its own addresses.
class Decoder {
 public:
  explicit Decoder(PhysicalMemory& memory) : memory_(memory) { world_.enter(); }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
  ~Decoder() { world_.leave(); }

  // The block of a hint; nothing: the snapshot holds other bytes, or there is no such block.
  BuiltBlock build(const CodeHint& hint, std::span<Operation> room) {
    if (!setMode(cpu_->system, hint.key) || cpu_->system.codeSize != CodeSize::bits64) return {};
    if (codeDigest(memory_, hint) != hint.digest) return {};
    const std::uint64_t physical = physicalOf(hint.key);
    const CodeTlb::Entry* second = hint.secondPage == 0 ? nullptr : place(hint.secondPage, nextPage(physical));
    if (hint.secondPage != 0 && second == nullptr) return {};
    const CodeTlb::Entry* first = place(physical & kPageMask, physical & kPageMask);
    if (first == nullptr) return {};
    const BuiltBlock built = buildBlock(*cpu_, {.page = *first, .linear = physical}, BlockLength::straightLine, room);
    // Else the hint spoke of something else than it named.
    return built.secondPage == hint.secondPage && built.bytes == hint.bytes ? built : BuiltBlock{};
  }

 private:
  static std::uint64_t nextPage(std::uint64_t physical) { return (physical & kPageMask) + kPageBytes; }

  // Makes a page of memory the code at a linear address.
  const CodeTlb::Entry* place(std::uint64_t physicalPage, std::uint64_t linear) {
    const PhysicalMemory::Slot* slot = memory_.find(physicalPage);
    if (slot == nullptr || (physicalPage & ~kPageMask) != 0) return nullptr;
    return cpu_->codeTlbs[0].fill({.page = linear, .physicalPage = physicalPage, .host = slot->page(physicalPage)});
  }

  PhysicalMemory& memory_;
  World world_;
  CodeWatch code_{memory_, world_};
  GuestClock clock_{SoftClock::instructions, HostCounter{}};
  InterruptFabric chips_{PitModel::absent, clock_.tscKhz()};
  std::unique_ptr<Cpu> cpu_ = std::make_unique<Cpu>(
      Surroundings{.memory = memory_, .world = world_, .code = code_, .chips = chips_, .clock = clock_, .index = 0});
};

class Preparation {
 public:
  void add(const CodeHint& hint, const BuiltBlock& built, std::span<const Operation> operations) {
    const auto first = static_cast<std::uint32_t>(operations_.size());
    blocks_.emplace(hint.key, first);
    if (hint.secondPage != 0) pages_[hint.secondPage].reaching.push_back({.first = first});
    pages_[physicalOf(hint.key) & kPageMask].beginning.push_back(
        {.offset = static_cast<std::uint16_t>(physicalOf(hint.key) & ~kPageMask),
         .mode = modeOf(hint.key),
         .first = first});
    operations_.insert(operations_.end(), operations.begin(), operations.end());
    instructions_ += built.instructions;
    if (built.hasLinks) linkable_.push_back({.key = hint.key, .end = operations_.size() - 1});
  }
  bool has(BlockKey key) const { return blocks_.contains(key); }
  // Modes are many, and any page may claim to go on in this one: a file counts with 16 bits.
  bool hasRoomFor(const CodeHint& hint) {
    constexpr std::size_t kMost = 0xffff;
    return pages_[physicalOf(hint.key) & kPageMask].beginning.size() < kMost &&
           (hint.secondPage == 0 || pages_[hint.secondPage].reaching.size() < kMost);
  }
  bool isFull() const { return operations_.size() + kMostOperations > kMostPrepared; }

  // To each other, as running would link them (block_cache.h).
  void link() {
    for (const Link& link : linkable_) {
      Operation& end = operations_[link.end];
      const std::array<std::int64_t, 2> targets{std::int64_t{end.offset} + end.length, end.displacement};
      for (unsigned way = 0; way < targets.size(); ++way) {
        if ((end.third >> way & 1U) == 0) continue;  // in another page
        const auto target = blocks_.find(link.key + static_cast<std::uint64_t>(targets[way]));
        if (target != blocks_.end())
          end.chain[way] =
              static_cast<std::int32_t>(std::int64_t{target->second} - static_cast<std::int64_t>(link.end));
      }
    }
  }

  std::vector<std::byte> bytes(const SemanticsId& semantics, const MemoryDigest& memory) const {
    std::vector<PreparedPage> slots(std::bit_ceil(2 * pages_.size() + 2));
    std::vector<PreparedBlock> blocks;
    for (const auto& [physical, held] : pages_) {
      std::size_t at = PreparedBlocks::slotOf(physical, slots.size());
      while (!slots[at].isEmpty()) at = (at + 1) & (slots.size() - 1);
      slots[at] = {.physical = physical,
                   .blocks = static_cast<std::uint32_t>(blocks.size()),
                   .beginning = static_cast<std::uint16_t>(held.beginning.size()),
                   .reaching = static_cast<std::uint16_t>(held.reaching.size())};
      blocks.insert(blocks.end(), held.beginning.begin(), held.beginning.end());
      std::ranges::sort(std::span(blocks).last(held.beginning.size()), {},
                        [](const PreparedBlock& block) { return std::pair(block.offset, block.mode); });
      blocks.insert(blocks.end(), held.reaching.begin(), held.reaching.end());
    }
    std::vector<std::byte> bytes(PreparedBlocks::kOperationsAt);
    const auto append = [&bytes](std::span<const std::byte> part) {
      bytes.insert(bytes.end(), part.begin(), part.end());
    };
    append(std::as_bytes(std::span(operations_)));
    append(std::as_bytes(std::span(slots)));
    append(std::as_bytes(std::span(blocks)));
    PreparedHeader header;
    header.operations = static_cast<std::uint32_t>(operations_.size());
    header.slots = static_cast<std::uint32_t>(slots.size());
    header.pages = static_cast<std::uint32_t>(pages_.size());
    header.blocks = static_cast<std::uint32_t>(blocks.size());
    header.instructions = static_cast<std::uint32_t>(instructions_);
    header.checksum = PreparedBlocks::checksumOf(std::span(bytes).subspan(PreparedBlocks::kOperationsAt));
    header.semantics = semantics;
    header.memory = memory;
    std::memcpy(bytes.data(), &header, sizeof header);
    return bytes;
  }

 private:
  struct Page {
    std::vector<PreparedBlock> beginning, reaching;
  };
  struct Link {
    BlockKey key;
    std::size_t end;  // the block's last operation
  };

  std::vector<Operation> operations_;
  std::map<BlockKey, std::uint32_t> blocks_;  // → first operation
  std::map<std::uint64_t, Page> pages_;       // by physical address
  std::vector<Link> linkable_;
  std::size_t instructions_ = 0;
};

}  // namespace

Result<std::vector<std::byte>> prepareBlocks(PhysicalMemory& memory, const MemoryDigest& digest,
                                             std::span<const CodeHint> hints) {
  const std::optional<SemanticsId> semantics = semanticsId();
  if (!semantics) return Error(Remedy::giveUp, "this program has no build id, by which prepared code names it");
  Decoder decoder(memory);
  Preparation preparation;
  std::vector<Operation> room(kMostOperations);
  for (const CodeHint& hint : hints) {
    if (preparation.isFull()) break;
    if (preparation.has(hint.key)) continue;
    const BuiltBlock built = decoder.build(hint, room);
    if (built.operations > 0 && preparation.hasRoomFor(hint))
      preparation.add(hint, built, std::span(room).first(built.operations));
  }
  preparation.link();
  return preparation.bytes(*semantics, digest);
}

}  // namespace qm::soft
