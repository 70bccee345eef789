// CPU features by their CPUID bits, with the names people know (Intel SDM 2A, CPUID; AMD APM 3, appendix E).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "vmm/hypervisor/state.h"

namespace qm {

enum class CpuidRegister : std::uint8_t { eax, ebx, ecx, edx };

struct CpuFeature {
  std::uint32_t leaf;
  std::uint32_t subleaf;
  CpuidRegister in;
  std::uint8_t bit;
  std::string_view name;
};

// What template qm-v1 may offer, and nothing else of these leaves: x86-64-v2 and the additions that both backends can
// have.
std::span<const CpuFeature> portableFeatures();
// What qm-v3 has besides, all of it: with qm-v1's, x86-64-v3 (System V ABI for x86-64, 3.1.1).
std::span<const CpuFeature> v3Features();
// What qm-v3-sha has besides that.
std::span<const CpuFeature> shaFeatures();
// Template qm-base, all of it and nothing else: x86-64-v2 and what practically every host, and KVM inside of another
// hypervisor, has besides. A part of portableFeatures().
std::span<const CpuFeature> baseFeatures();

std::uint32_t& registerOf(CpuidEntry& entry, CpuidRegister which);
std::uint32_t registerOf(const CpuidEntry& entry, CpuidRegister which);

}  // namespace qm
