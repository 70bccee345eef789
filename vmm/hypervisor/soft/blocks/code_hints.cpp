#include "vmm/hypervisor/soft/blocks/code_hints.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "vmm/hypervisor/soft/cpu/tlb.h"

namespace qm::soft {

namespace {

// "QMHINTS" and the version. Then the hints, as they are in memory: both sides are the same program.
constexpr std::uint64_t kMagic = 0x0153'544e'4948'4d51;
static_assert(sizeof(CodeHint) == 24);

// FNV-1a (Fowler, Noll, Vo): what differs is to be noticed, not forged.
std::uint32_t digestOf(std::uint32_t digest, std::span<const std::byte> bytes) {
  for (const std::byte byte : bytes) digest = (digest ^ static_cast<std::uint32_t>(byte)) * 0x0100'0193;
  return digest;
}

}  // namespace

std::vector<std::byte> encodeHints(std::span<const CodeHint> hints) {
  const auto told = hints.first(std::min(hints.size(), kMostHints));
  std::vector<std::byte> bytes(sizeof kMagic + told.size_bytes());
  std::memcpy(bytes.data(), &kMagic, sizeof kMagic);
  if (!told.empty()) std::memcpy(bytes.data() + sizeof kMagic, told.data(), told.size_bytes());
  return bytes;
}

Result<std::vector<CodeHint>> decodeHints(std::span<const std::byte> bytes) {
  std::uint64_t magic = 0;
  if (bytes.size() >= sizeof magic) std::memcpy(&magic, bytes.data(), sizeof magic);
  const std::size_t rest = bytes.size() - std::min(bytes.size(), sizeof magic);
  if (magic != kMagic || rest % sizeof(CodeHint) != 0 || rest / sizeof(CodeHint) > kMostHints)
    return Error(Remedy::fixInput, fmt::format("{} bytes are no list of the code that a guest has run", bytes.size()));
  std::vector<CodeHint> hints(rest / sizeof(CodeHint));
  if (rest > 0) std::memcpy(hints.data(), bytes.data() + sizeof magic, rest);
  return hints;
}

std::optional<std::uint32_t> codeDigest(const PhysicalMemory& memory, const CodeHint& hint) {
  const std::uint64_t physical = physicalOf(hint.key);
  const PhysicalMemory::Slot* slot = memory.find(physical);
  if (slot == nullptr || hint.bytes == 0 || hint.bytes > kPageBytes) return std::nullopt;
  const std::uint64_t offset = physical & ~kPageMask;
  const std::uint64_t here = std::min<std::uint64_t>(hint.bytes, kPageBytes - offset);
  const std::uint32_t digest = digestOf(0x811c'9dc5, {slot->page(physical) + offset, here});
  if (here == hint.bytes) return digest;
  const PhysicalMemory::Slot* second = memory.find(hint.secondPage);
  if (hint.secondPage == 0 || (hint.secondPage & ~kPageMask) != 0 || second == nullptr) return std::nullopt;
  return digestOf(digest, {second->page(hint.secondPage), hint.bytes - here});
}

}  // namespace qm::soft
