#include "vmm/hypervisor/soft/blocks/prepared_blocks.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "vmm/hypervisor/soft/cpu/tlb.h"
#include "vmm/os/file_contents.h"
#include "vmm/os/mapping.h"

namespace qm::soft {

namespace {

Error refused(std::string_view why) {
  return Error(Remedy::fixInput, fmt::format("the prepared code {}; prepare it again", why));
}

struct Parts {
  std::size_t pagesAt = 0, blocksAt = 0, end = 0;
};
Parts partsOf(const PreparedHeader& header) {
  Parts parts;
  parts.pagesAt = PreparedBlocks::kOperationsAt + header.operations * sizeof(Operation);
  parts.blocksAt = parts.pagesAt + header.slots * sizeof(PreparedPage);
  parts.end = parts.blocksAt + header.blocks * sizeof(PreparedBlock);
  return parts;
}

Result<PreparedHeader> readHeader(std::span<const std::byte> bytes) {
  PreparedHeader header;
  if (bytes.size() < PreparedBlocks::kOperationsAt) return refused("is too short");
  std::memcpy(&header, bytes.data(), sizeof header);
  if (header.magic != PreparedHeader::kMagic || header.version != PreparedHeader::kVersion)
    return refused("has another format");
  if (bytes.size() > kMostPreparedBytes || partsOf(header).end != bytes.size()) return refused("has another length");
  if (!std::has_single_bit(header.slots)) return refused("has a damaged header");
  return header;
}

template <class T>
std::span<T> partOf(std::span<std::byte> bytes, std::size_t at, std::size_t count) {
  return {reinterpret_cast<T*>(bytes.data() + at), count};
}

std::uint32_t orderOf(const PreparedBlock& block) {
  return std::uint32_t{block.offset} << 16U | block.mode;
}

bool areSound(std::span<const PreparedPage> pages, std::span<const PreparedBlock> blocks, std::size_t operations) {
  std::size_t used = 0;
  for (const PreparedPage& page : pages) {
    if (page.isEmpty()) continue;
    ++used;
    const std::size_t count = std::size_t{page.beginning} + page.reaching;
    if ((page.physical & ~kPageMask) != 0 || page.blocks > blocks.size() || count > blocks.size() - page.blocks)
      return false;
    if (!std::ranges::is_sorted(blocks.subspan(page.blocks, page.beginning), {}, orderOf)) return false;
  }
  return used <= pages.size() / 2 &&  // a search ends at an empty one
         std::ranges::all_of(blocks, [operations](const PreparedBlock& block) { return block.first < operations; });
}

Result<FileDescriptor> sealedFile(std::span<const std::byte> bytes) {
  FileDescriptor file = TRY(createMemfd("prepared-code", bytes.size()));
  TRY(writeAt(file, 0, bytes));
  return sealMemfd(std::move(file));
}

}  // namespace

PreparedBlocks PreparedBlocks::of(const PreparedHeader& header, std::span<std::byte> bytes) {
  const Parts parts = partsOf(header);
  PreparedBlocks blocks;
  blocks.operations_ = partOf<Operation>(bytes, kOperationsAt, header.operations);
  blocks.pages_ = partOf<const PreparedPage>(bytes, parts.pagesAt, header.slots);
  blocks.blocks_ = partOf<const PreparedBlock>(bytes, parts.blocksAt, header.blocks);
  return blocks;
}

Result<PreparedBlocks> PreparedBlocks::over(std::span<std::byte> bytes) {
  const PreparedHeader header = TRY(readHeader(bytes));
  if (semanticsId() != header.semantics) return refused("was made by another program, or on another kind of host");
  return of(header, bytes);
}

Result<FileDescriptor> PreparedBlocks::sealed(std::span<const std::byte> bytes, const MemoryDigest& memory) {
  const PreparedHeader header = TRY(readHeader(bytes));
  if (header.memory != memory) return refused("was made from another memory");
  if (checksumOf(bytes.subspan(kOperationsAt)) != header.checksum) return refused("is damaged");
  // A copy of the right alignment.
  Mapping copy = TRY(Mapping::anonymous(bytes.size()));
  std::ranges::copy(bytes, copy.bytes().begin());
  const PreparedBlocks blocks = of(header, copy.bytes());
  if (!areSound(blocks.pages_, blocks.blocks_, blocks.operations_.size())) return refused("is damaged");
  return sealedFile(copy.bytes());
}

std::size_t PreparedBlocks::slotOf(std::uint64_t physicalPage, std::size_t slots) {
  constexpr std::uint64_t kGolden = 0x9e37'79b9'7f4a'7c15;  // 2^64 by the golden ratio (Knuth, vol. 3, 6.4)
  return (physicalPage * kGolden >> 32U) & (slots - 1);
}

// Null: it holds none.
const PreparedPage* PreparedBlocks::findPage(std::uint64_t physicalPage) const {
  if (pages_.empty()) return nullptr;
  for (std::size_t at = slotOf(physicalPage, pages_.size());; at = (at + 1) & (pages_.size() - 1)) {
    const PreparedPage& page = pages_[at];
    if (page.isEmpty()) return nullptr;
    if (page.physical == physicalPage) return &page;
  }
}

std::optional<std::uint32_t> PreparedBlocks::find(BlockKey key) const {
  const std::uint64_t physical = physicalOf(key);
  const PreparedPage* page = findPage(physical & kPageMask);
  if (page == nullptr) return std::nullopt;
  const PreparedBlock wanted{.offset = static_cast<std::uint16_t>(physical & ~kPageMask), .mode = modeOf(key)};
  const std::span<const PreparedBlock> blocks = blocks_.subspan(page->blocks, page->beginning);
  const auto found = std::ranges::lower_bound(blocks, orderOf(wanted), {}, orderOf);
  if (found == blocks.end() || orderOf(*found) != orderOf(wanted)) return std::nullopt;
  return found->first;
}

std::span<const PreparedBlock> PreparedBlocks::blocksIn(std::uint64_t physicalPage) const {
  const PreparedPage* page = findPage(physicalPage);
  if (page == nullptr) return {};
  return blocks_.subspan(page->blocks, std::size_t{page->beginning} + page->reaching);
}

// FNV-1a over words of 8 bytes (Fowler, Noll, Vo), mixed; a rest of fewer counts as one that ends in zeros.
std::uint64_t PreparedBlocks::checksumOf(std::span<const std::byte> bytes) {
  std::uint64_t sum = 0xcbf2'9ce4'8422'2325;
  for (std::size_t at = 0; at < bytes.size(); at += sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, std::min(sizeof word, bytes.size() - at));
    sum = (sum ^ word) * 0x100'0000'01b3;
    sum ^= sum >> 32U;
  }
  return sum;
}

}  // namespace qm::soft
