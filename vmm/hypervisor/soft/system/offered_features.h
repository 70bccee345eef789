// The features of the CPU in software, by their CPUID bits.
#pragma once

#include <span>

#include "vmm/hypervisor/cpu_template/features.h"

namespace qm::soft {

// x86-64-v2 beyond x86-64 itself: done with the host's instructions, and no host without them will do.
std::span<const CpuFeature> requiredOfHost();
// Done with the host's instructions: offered where the host has them.
std::span<const CpuFeature> byHost();
// Likewise, where also the host's kernel lets programs use YMM registers.
std::span<const CpuFeature> byHostWithAvx();
// Done without.
std::span<const CpuFeature> byOurselves();

}  // namespace qm::soft
