// What belongs to the system: HLT CLI STI STAC CLAC CPUID RDTSC RDTSCP RDPID RDMSR WRMSR RDPMC INVLPG INVPCID WBINVD
// INVD, UD (SDM 2).
#pragma once

#include <span>

#include "vmm/hypervisor/soft/decode/lowering.h"

namespace qm::soft {

std::span<const Lowering> privilegedLowerings();

}  // namespace qm::soft
