// AES-NI and PCLMULQDQ (SDM 2).
#pragma once

#include <span>

#include "vmm/hypervisor/soft/decode/lowering.h"

namespace qm::soft {

std::span<const Lowering> sseCryptoLowerings();

}  // namespace qm::soft
