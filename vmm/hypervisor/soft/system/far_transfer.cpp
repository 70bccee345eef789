#include "vmm/hypervisor/soft/system/far_transfer.h"

namespace qm::soft {

std::span<const Lowering> farTransferLowerings() {
  return {};
}

bool lowerFarJump(const Instruction& /*instruction*/, Emitter& /*emitter*/) {
  return false;
}

bool lowerFarCall(const Instruction& /*instruction*/, Emitter& /*emitter*/) {
  return false;
}

bool lowerFarRet(const Instruction& /*instruction*/, Emitter& /*emitter*/) {
  return false;
}

}  // namespace qm::soft
