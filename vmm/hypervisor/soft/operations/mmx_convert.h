// CVTPI2PS CVTPI2PD CVTPS2PI CVTPD2PI CVTTPS2PI CVTTPD2PI: two integers of 32 bits in an MMX register, or memory, and
// two floating-point numbers in an XMM register (SDM 2).
#pragma once

#include <span>

#include "vmm/hypervisor/soft/decode/lowering.h"

namespace qm::soft {

std::span<const Lowering> mmxConvertLowerings();

}  // namespace qm::soft
