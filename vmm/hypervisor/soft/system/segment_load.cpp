#include "vmm/hypervisor/soft/system/segment_load.h"

namespace qm::soft {

std::span<const Lowering> segmentLoadLowerings() {
  return {};
}

bool lowerPopSegment(const Instruction& /*instruction*/, Emitter& /*emitter*/) {
  return false;
}

bool lowerMoveSegment(const Instruction& /*instruction*/, Emitter& /*emitter*/) {
  return false;
}

}  // namespace qm::soft
