#include "vmm/memory/guest_memory.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "vmm/os/discard.h"
#include "vmm/result/check.h"

namespace qm {

namespace {

Error notRam(GuestAddress start, std::uint64_t bytes) {
  return {Remedy::fixInput, fmt::format("guest address {:#x} + {} bytes is not RAM", start.value, bytes)};
}

}  // namespace

Result<GuestMemory> GuestMemory::anonymous(std::uint64_t bytes) {
  std::vector<Backing> backings;
  for (const MemoryRange& range : ramLayout(bytes)) {
    Mapping mapping = TRY(Mapping::anonymous(range.bytes).during("mapping guest memory"));
    backings.push_back({range, std::move(mapping), std::make_unique<DirtyBitmap>(range.bytes)});
  }
  return GuestMemory(std::move(backings));
}

Result<GuestMemory> GuestMemory::ofFile(const FileDescriptor& file, std::uint64_t bytes, Sharing sharing) {
  // A mapping beyond the file's end would be SIGBUS at the guest's first touch.
  const std::uint64_t inFile = TRY(fileBytes(file));
  if (inFile < bytes) {
    return Error(Remedy::fixInput, fmt::format("the memory file has {} bytes, the guest needs {}", inFile, bytes));
  }
  std::vector<Backing> backings;
  for (const MemoryRange& range : ramLayout(bytes)) {
    Mapping mapping = TRY(Mapping::ofFile(file, range.fileOffset, range.bytes, sharing, Access::readWrite)
                              .during("mapping guest memory"));
    backings.push_back({range, std::move(mapping), std::make_unique<DirtyBitmap>(range.bytes)});
  }
  return GuestMemory(std::move(backings));
}

Result<GuestMemory> GuestMemory::ofSparseFile(const FileDescriptor& file, std::uint64_t bytes,
                                              std::span<const PageRun> holes) {
  GuestMemory memory = TRY(ofFile(file, bytes, Sharing::privateCopy));
  for (const PageRun& hole : holes) {
    if (std::uint64_t{hole.first} + hole.count > bytes / kGuestPageBytes) {
      return Error(Remedy::fixInput, fmt::format("a hole of {} pages from page {} on is not in a memory of {} bytes",
                                                 hole.count, hole.first, bytes));
    }
    TRY(memory.blank(hole).during("mapping the holes of guest memory"));
  }
  return memory;
}

// One that reaches over the end of a range is two.
Status GuestMemory::blank(const PageRun& hole) {
  const std::uint64_t from = std::uint64_t{hole.first} * kGuestPageBytes;
  const std::uint64_t to = from + std::uint64_t{hole.count} * kGuestPageBytes;
  for (Backing& backing : backings_) {
    const std::uint64_t begin = backing.range.fileOffset;
    const std::uint64_t first = std::max(from, begin);
    const std::uint64_t last = std::min(to, begin + backing.range.bytes);
    if (first < last) TRY(backing.mapping.blank(first - begin, last - first));
  }
  return {};
}

std::uint64_t GuestMemory::bytes() const {
  std::uint64_t sum = 0;
  for (const Backing& backing : backings_) sum += backing.range.bytes;
  return sum;
}

std::vector<GuestMemory::Region> GuestMemory::regions() const {
  std::vector<Region> regions;
  for (const Backing& backing : backings_) regions.push_back({backing.range, backing.mapping.bytes()});
  return regions;
}

const GuestMemory::Backing* GuestMemory::find(GuestAddress start, std::uint64_t bytes) const {
  for (const Backing& backing : backings_) {
    if (start < backing.range.start || start >= backing.range.end()) continue;
    const std::uint64_t left = backing.range.end() - start;
    return bytes <= left ? &backing : nullptr;
  }
  return nullptr;
}

Result<std::span<std::byte>> GuestMemory::hostRange(GuestAddress start, std::uint64_t bytes) const {
  const Backing* backing = find(start, bytes);
  if (backing == nullptr) return notRam(start, bytes);
  return backing->mapping.bytes().subspan(start - backing->range.start, bytes);
}

void GuestMemory::markDirty(GuestAddress start, std::uint64_t bytes) {
  const Backing* backing = find(start, bytes);
  CHECK(backing != nullptr);
  backing->dirty->mark(start - backing->range.start, bytes);
  if (observer_ && bytes != 0) observer_(start, bytes);
}

void GuestMemory::observeWrites(WriteObserver observer) {
  CHECK(!observer_);
  observer_ = std::move(observer);
}

Status GuestMemory::revert() {
  observer_ = {};
  for (const Backing& backing : backings_) {
    static_cast<void>(backing.dirty->take());
    TRY(discard(backing.mapping.bytes()).during("dropping what the guest wrote"));
  }
  return {};
}

Status GuestMemory::read(GuestAddress from, std::span<std::byte> into) const {
  const std::span<std::byte> host = TRY(hostRange(from, into.size()));
  if (!into.empty()) std::memcpy(into.data(), host.data(), into.size());
  return {};
}

Status GuestMemory::write(GuestAddress to, std::span<const std::byte> bytes) {
  const std::span<std::byte> host = TRY(hostRange(to, bytes.size()));
  if (!bytes.empty()) std::memcpy(host.data(), bytes.data(), bytes.size());
  markDirty(to, bytes.size());
  return {};
}

Result<std::uint16_t> GuestMemory::loadAcquire16(GuestAddress from) const {
  const std::span<std::byte> host = TRY(hostRange(from, 2));
  if (from.value % 2 != 0)
    return Error(Remedy::fixInput, fmt::format("guest address {:#x} is not aligned to 2", from.value));
  return __atomic_load_n(reinterpret_cast<const std::uint16_t*>(host.data()), __ATOMIC_ACQUIRE);
}

Status GuestMemory::storeRelease16(GuestAddress to, std::uint16_t value) {
  const std::span<std::byte> host = TRY(hostRange(to, 2));
  if (to.value % 2 != 0)
    return Error(Remedy::fixInput, fmt::format("guest address {:#x} is not aligned to 2", to.value));
  __atomic_store_n(reinterpret_cast<std::uint16_t*>(host.data()), value, __ATOMIC_RELEASE);
  markDirty(to, 2);
  return {};
}

std::vector<std::vector<std::uint64_t>> GuestMemory::takeDeviceDirty() {
  std::vector<std::vector<std::uint64_t>> taken;
  for (const Backing& backing : backings_) taken.push_back(backing.dirty->take());
  return taken;
}

}  // namespace qm
