#include "vmm/hypervisor/soft/system/control_moves.h"

namespace qm::soft {

std::span<const Lowering> controlMoveLowerings() {
  return {};
}

bool isSystemRegister(const Operand& operand) {
  if (!isRegister(operand)) return false;
  const ZydisRegisterClass kind = ZydisRegisterGetClass(operand.reg.value);
  return kind == ZYDIS_REGCLASS_CONTROL || kind == ZYDIS_REGCLASS_DEBUG || kind == ZYDIS_REGCLASS_SEGMENT;
}

bool lowerSystemMove(const Instruction& /*instruction*/, Emitter& /*emitter*/) {
  return false;
}

}  // namespace qm::soft
