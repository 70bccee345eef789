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
  std::size_t slotsAt = 0, pagesAt = 0, placesAt = 0, end = 0;
};
Parts partsOf(const PreparedHeader& header) {
  Parts parts;
  parts.slotsAt = PreparedBlocks::kOperationsAt + header.operations * sizeof(Operation);
  parts.pagesAt = parts.slotsAt + header.slots * sizeof(PreparedSlot);
  parts.placesAt = parts.pagesAt + header.pages * sizeof(PreparedPage);
  parts.end = parts.placesAt + header.places * sizeof(std::uint32_t);
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

bool areSound(std::span<const PreparedSlot> slots, std::size_t operations) {
  std::size_t used = 0;
  for (const PreparedSlot& slot : slots) {
    if (slot.key == 0) continue;
    ++used;
    if (slot.first >= operations) return false;
  }
  return used <= slots.size() / 2;  // a search ends at an empty one
}

bool areSound(std::span<const PreparedPage> pages, std::span<const std::uint32_t> places, std::size_t operations) {
  for (std::size_t i = 0; i < pages.size(); ++i) {
    const PreparedPage& page = pages[i];
    if ((page.physical & ~kPageMask) != 0 || (i > 0 && page.physical <= pages[i - 1].physical)) return false;
    if (page.places > places.size() || page.count > places.size() - page.places) return false;
  }
  return std::ranges::all_of(places, [operations](std::uint32_t place) { return place < operations; });
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
  blocks.slots_ = partOf<const PreparedSlot>(bytes, parts.slotsAt, header.slots);
  blocks.pages_ = partOf<const PreparedPage>(bytes, parts.pagesAt, header.pages);
  blocks.places_ = partOf<const std::uint32_t>(bytes, parts.placesAt, header.places);
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
  const std::size_t operations = blocks.operations_.size();
  if (!areSound(blocks.slots_, operations) || !areSound(blocks.pages_, blocks.places_, operations))
    return refused("is damaged");
  return sealedFile(copy.bytes());
}

std::size_t PreparedBlocks::slotOf(BlockKey key, std::size_t slots) {
  constexpr std::uint64_t kGolden = 0x9e37'79b9'7f4a'7c15;  // 2^64 by the golden ratio (Knuth, vol. 3, 6.4)
  return (key * kGolden >> 32U) & (slots - 1);
}

std::optional<std::uint32_t> PreparedBlocks::find(BlockKey key) const {
  if (slots_.empty()) return std::nullopt;
  for (std::size_t at = slotOf(key, slots_.size());; at = (at + 1) & (slots_.size() - 1)) {
    if (slots_[at].key == key) return slots_[at].first;
    if (slots_[at].key == 0) return std::nullopt;
  }
}

std::span<const std::uint32_t> PreparedBlocks::placesIn(std::uint64_t physicalPage) const {
  const auto page = std::ranges::lower_bound(pages_, physicalPage, {}, &PreparedPage::physical);
  if (page == pages_.end() || page->physical != physicalPage) return {};
  return places_.subspan(page->places, page->count);
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
