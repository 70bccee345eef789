// BMI1, BMI2, ADX, CRC32 (SDM 2): ANDN BEXTR BLSI BLSMSK BLSR BZHI MULX PDEP PEXT RORX SARX SHLX SHRX ADCX ADOX CRC32.
// Where the host's own instruction is needed and the host has none, it is #UD; no guest there was offered it.
#pragma once

#include <span>

#include "vmm/hypervisor/soft/decode/lowering.h"

namespace qm::soft {

std::span<const Lowering> bmiLowerings();

}  // namespace qm::soft
