// Single lanes and halves of AVX and AVX2: VPINSRx VINSERTPS VEXTRACTF128 VEXTRACTI128 VBROADCASTF128 VBROADCASTI128,
// and what looks at lanes: VPTEST VTESTPx (SDM 2). VPEXTRx and VEXTRACTPS are as in SSE4.1 (sse_lane.h).
#pragma once

#include <span>

#include "vmm/hypervisor/soft/decode/lowering.h"

namespace qm::soft {

std::span<const Lowering> avxLaneLowerings();

}  // namespace qm::soft
