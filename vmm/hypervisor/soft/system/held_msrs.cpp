#include "vmm/hypervisor/soft/system/held_msrs.h"

#include <algorithm>
#include <array>
#include <utility>

#include "vmm/hypervisor/soft/memory/page_walk.h"

namespace qm::soft {

namespace {

using enum Msr;

// SDM 3A, tables 11-8 and 11-10: uncacheable, write combining, write through, write protect, write back; PAT also has
// UC-, 7.
bool isMemoryType(std::uint64_t type) {
  return type == 0 || type == 1 || (type >= 4 && type <= 6);
}

bool areMemoryTypes(std::uint64_t value) {
  for (unsigned byte = 0; byte < 8; ++byte) {
    if (!isMemoryType(value >> byte * 8U & 0xffU)) return false;
  }
  return true;
}

bool isPat(std::uint64_t value) {
  for (unsigned byte = 0; byte < 8; ++byte) {
    const std::uint64_t type = value >> byte * 8U & 0xffU;
    if (!isMemoryType(type) && type != 7) return false;
  }
  return true;
}

bool isAny(std::uint64_t /*value*/) {
  return true;
}

bool isLow32(std::uint64_t value) {
  return value >> 32U == 0;
}

bool isMcgStatus(std::uint64_t value) {
  return value <= 7;
}

// Type, fixed ranges enabled, ranges enabled (SDM 3A, 11.11.2.1).
bool isDefaultType(std::uint64_t value) {
  constexpr std::uint64_t kEnables = 3U << 10U;
  return isMemoryType(value & ~kEnables);
}

struct HeldMsr {
  Msr msr;
  std::uint64_t SystemState::* place;
  bool (*accepts)(std::uint64_t);
};

constexpr std::array kHeld{
    HeldMsr{IA32_SYSENTER_CS, &SystemState::sysenterCs, isAny},
    HeldMsr{IA32_SYSENTER_ESP, &SystemState::sysenterEsp, isCanonical},
    HeldMsr{IA32_SYSENTER_EIP, &SystemState::sysenterEip, isCanonical},
    HeldMsr{IA32_MCG_STATUS, &SystemState::mcgStatus, isMcgStatus},
    HeldMsr{IA32_MISC_ENABLE, &SystemState::miscEnable, isAny},
    HeldMsr{IA32_PAT, &SystemState::pat, isPat},
    HeldMsr{IA32_STAR, &SystemState::star, isAny},
    HeldMsr{IA32_LSTAR, &SystemState::lstar, isCanonical},
    HeldMsr{IA32_CSTAR, &SystemState::cstar, isCanonical},
    HeldMsr{IA32_FMASK, &SystemState::sfmask, isLow32},
    HeldMsr{IA32_KERNEL_GS_BASE, &SystemState::kernelGsBase, isCanonical},
    HeldMsr{IA32_TSC_AUX, &SystemState::tscAux, isLow32},
};

constexpr auto kKept = [] {
  std::array<Msr, kHeld.size()> kept{};
  std::ranges::transform(kHeld, kept.begin(), &HeldMsr::msr);
  return kept;
}();

constexpr std::uint32_t kFirstVariable = 0x200, kVariables = 16;
constexpr std::array<std::uint32_t, 11> kFixed{0x250, 0x258, 0x259, 0x268, 0x269, 0x26a,
                                               0x26b, 0x26c, 0x26d, 0x26e, 0x26f};

constexpr auto kMemoryTypes = [] {
  std::array<std::uint32_t, kVariables + kFixed.size() + 1> all{};
  for (std::uint32_t i = 0; i < kVariables; ++i) all[i] = kFirstVariable + i;
  std::ranges::copy(kFixed, all.begin() + kVariables);
  all.back() = std::to_underlying(IA32_MTRR_DEF_TYPE);
  return all;
}();

const HeldMsr* find(std::uint32_t index) {
  const auto* const found = std::ranges::find(kHeld, Msr{index}, &HeldMsr::msr);
  return found == kHeld.end() ? nullptr : found;
}

bool isVariable(std::uint32_t index) {
  return index - kFirstVariable < kVariables;
}

std::uint64_t* memoryType(MemoryTypeRanges& ranges, std::uint32_t index) {
  if (isVariable(index)) return &ranges.variable[index - kFirstVariable];
  if (index == std::to_underlying(IA32_MTRR_DEF_TYPE)) return &ranges.defaultType;
  const auto* const found = std::ranges::find(kFixed, index);
  return found == kFixed.end() ? nullptr : &ranges.fixed[static_cast<std::size_t>(found - kFixed.begin())];
}

// A base with its type, or a mask with its valid bit (SDM 3A, 11.11.2.3).
bool isRange(std::uint32_t index, std::uint64_t value, std::uint64_t physicalMask) {
  constexpr std::uint64_t kValid = 1U << 11U;
  if ((value & ~physicalMask) != 0) return false;
  const std::uint64_t low = value & 0xfff;
  return index % 2 == 0 ? isMemoryType(low) : (low & ~kValid) == 0;
}

}  // namespace

std::uint64_t* heldMsr(SystemState& system, std::uint32_t index) {
  if (const HeldMsr* held = find(index)) return &(system.*held->place);
  return memoryType(system.memoryTypes, index);
}

bool isLegalFor(const SystemState& system, std::uint32_t index, std::uint64_t value) {
  if (const HeldMsr* held = find(index)) return held->accepts(value);
  if (isVariable(index)) return isRange(index, value, system.physicalMask);
  if (index == std::to_underlying(IA32_MTRR_DEF_TYPE)) return isDefaultType(value);
  return areMemoryTypes(value);
}

std::span<const Msr> keptHeldMsrs() {
  return kKept;
}

std::span<const std::uint32_t> memoryTypeMsrs() {
  return kMemoryTypes;
}

}  // namespace qm::soft
