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

void normaliseXsave(std::span<std::byte> area, const CpuidTable& cpuid) {
  std::uint64_t inUse = 0;
  std::memcpy(&inUse, area.data() + kLegacyBytes, sizeof inUse);
  if ((inUse & 1U) == 0) {
    // x87: control word 0x37f and the rest 0 is its initial state; the bytes 24 to 31 are MXCSR and its mask.
    clear(area, 0, 24);
    clear(area, 32, 128);
    area[0] = std::byte{0x7f};
    area[1] = std::byte{0x03};
  }
  if ((inUse & 2U) == 0) clear(area, 160, 256);
  for (const CpuidEntry& entry : cpuid) {
    const bool isComponent = entry.leaf == 0xd && entry.subleaf >= 2 && entry.subleaf < 63 && (entry.ecx & 1U) == 0;
    if (isComponent && (inUse >> entry.subleaf & 1U) == 0) clear(area, entry.ebx, entry.eax);
  }
}

}  // namespace qm::kvm
