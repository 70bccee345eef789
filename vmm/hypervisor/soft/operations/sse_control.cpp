#include "vmm/hypervisor/soft/operations/sse_control.h"

#include <xmmintrin.h>

#include "vmm/hypervisor/soft/operations/operand.h"

namespace qm::soft {

std::uint32_t currentMxcsr(const Cpu& cpu) {
  return cpu.mxcsr | (_mm_getcsr() & mxcsr::kFlags);
}

void setMxcsr(Cpu& cpu, std::uint32_t value) {
  cpu.mxcsr = value;
  cpu.simdUnmasked = (~value & mxcsr::kMasks) != 0;
  _mm_setcsr(value | mxcsr::kMasks);
}

namespace {

bool loadControl(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  std::uint64_t address = 0;
  std::uint32_t value = 0;
  if (!effectiveAddress<Form::any>(cpu, op, address) || !load(cpu, address, value)) return false;
  if ((value & ~mxcsr::kValid) != 0) return raise(cpu, Exception::generalProtection);
  setMxcsr(cpu, value);
  return true;
}

bool storeControl(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  std::uint64_t address = 0;
  return effectiveAddress<Form::any>(cpu, op, address) && store(cpu, address, currentMxcsr(cpu));
}

template <auto body>
bool lowerControl(const Instruction& instruction, Emitter& emitter) {
  emitter.setAddress(emitter.add(&step<body>), instruction.operand(0));
  return true;
}

constexpr std::array kLowerings{
    Lowering{ZYDIS_MNEMONIC_LDMXCSR, &lowerControl<&loadControl>},
    Lowering{ZYDIS_MNEMONIC_STMXCSR, &lowerControl<&storeControl>},
    Lowering{ZYDIS_MNEMONIC_VLDMXCSR, &lowerControl<&loadControl>},
    Lowering{ZYDIS_MNEMONIC_VSTMXCSR, &lowerControl<&storeControl>},
};

}  // namespace

std::span<const Lowering> sseControlLowerings() {
  return kLowerings;
}

}  // namespace qm::soft
