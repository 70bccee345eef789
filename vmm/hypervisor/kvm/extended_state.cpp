#include "vmm/hypervisor/kvm/extended_state.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace qm::kvm {

namespace {

constexpr std::size_t kLegacyBytes = 512;
constexpr std::size_t kHeaderBytes = 64;

void clear(std::span<std::byte> area, std::size_t from, std::size_t bytes) {
  if (from >= area.size()) return;
  std::ranges::fill(area.subspan(from, std::min(bytes, area.size() - from)), std::byte{0});
}

}  // namespace

std::size_t usedXsaveBytes(const CpuidTable& cpuid) {
  std::size_t used = kLegacyBytes + kHeaderBytes;
  for (const CpuidEntry& entry : cpuid) {
    const bool isComponent = entry.leaf == 0xd && entry.subleaf >= 2 && entry.eax != 0 && (entry.ecx & 1U) == 0;
    if (isComponent) used = std::max<std::size_t>(used, std::size_t{entry.ebx} + entry.eax);
  }
  return used;
}

namespace {

bool isZero(std::span<const std::byte> area, std::size_t from, std::size_t bytes) {
  if (from >= area.size()) return true;
  return std::ranges::all_of(area.subspan(from, std::min(bytes, area.size() - from)),
                             [](std::byte byte) { return byte == std::byte{0}; });
}

// The x87 state but for the bytes 24 to 31, which are MXCSR and its mask. Initial: control word 0x37f, the rest 0.
constexpr std::size_t kMxcsr = 24, kPastMxcsr = 32, kX87Bytes = 160, kSseBytes = 256;
bool isInitialX87(std::span<const std::byte> area) {
  return area[0] == std::byte{0x7f} && area[1] == std::byte{0x03} && isZero(area, 2, kMxcsr - 2) &&
         isZero(area, kPastMxcsr, kX87Bytes - kPastMxcsr);
}

}  // namespace

// A component in its initial state may be marked in use or not, as the processor likes (SDM 1, 13.6: XINUSE). Here it
// never is, and its bytes are the initial ones. MXCSR is loaded either way (13.8.1).
void normaliseXsave(std::span<std::byte> area, const CpuidTable& cpuid) {
  std::uint64_t inUse = 0;
  std::memcpy(&inUse, area.data() + kLegacyBytes, sizeof inUse);
  if ((inUse & 1U) == 0) {
    clear(area, 0, kMxcsr);
    clear(area, kPastMxcsr, kX87Bytes - kPastMxcsr);
    area[0] = std::byte{0x7f};
    area[1] = std::byte{0x03};
  }
  if (isInitialX87(area)) inUse &= ~std::uint64_t{1};
  if ((inUse & 2U) == 0) clear(area, kX87Bytes, kSseBytes);
  if (isZero(area, kX87Bytes, kSseBytes)) inUse &= ~std::uint64_t{2};
  for (const CpuidEntry& entry : cpuid) {
    const bool isComponent = entry.leaf == 0xd && entry.subleaf >= 2 && entry.subleaf < 63 && (entry.ecx & 1U) == 0;
    if (!isComponent) continue;
    if ((inUse >> entry.subleaf & 1U) == 0) clear(area, entry.ebx, entry.eax);
    if (isZero(area, entry.ebx, entry.eax)) inUse &= ~(std::uint64_t{1} << entry.subleaf);
  }
  std::memcpy(area.data() + kLegacyBytes, &inUse, sizeof inUse);
}

}  // namespace qm::kvm
