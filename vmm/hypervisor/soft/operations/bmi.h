// BMI1, BMI2, ADX, CRC32 (SDM 2).
#pragma once

#include <span>

#include "vmm/hypervisor/soft/decode/lowering.h"

namespace qm::soft {

std::span<const Lowering> bmiLowerings();

}  // namespace qm::soft
