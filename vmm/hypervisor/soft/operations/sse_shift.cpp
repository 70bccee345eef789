#include "vmm/hypervisor/soft/operations/sse_shift.h"

#include <algorithm>

#include "vmm/hypervisor/soft/operations/byte_shuffle.h"
#include "vmm/hypervisor/soft/operations/vector_operand.h"

namespace qm::soft {

namespace {

// ---- lanes: the count is the low 64 bits of a register or of memory, or the immediate byte

struct FromImmediate {
  static bool read(Cpu& /*cpu*/, const Operation& op, __m128i& value) {
    value = zeroExtended(op.detail);
    return true;
  }
};

template <auto apply>
bool lowerShift(const Instruction& instruction, Emitter& emitter) {
  const Operand& count = instruction.operand(1);
  if (!isImmediate(count)) return lowerPacked<apply>(instruction, emitter);
  Operation& op = emitter.add(&step<&applyTo<apply, FromImmediate>>);
  op.to = registerNumber(instruction.operand(0).reg.value);
  op.detail = static_cast<std::uint8_t>(count.imm.value.u);
  return true;
}

// ---- whole registers, by bytes

bool shiftBytesLeft(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  setXmm(cpu, op.to, bytesFrom(xmm(cpu, op.to), -static_cast<int>(op.detail)));
  return true;
}

bool shiftBytesRight(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  setXmm(cpu, op.to, bytesFrom(xmm(cpu, op.to), op.detail));
  return true;
}

template <auto body>
bool lowerByteShift(const Instruction& instruction, Emitter& emitter) {
  Operation& op = emitter.add(&step<body>);
  op.to = registerNumber(instruction.operand(0).reg.value);
  op.detail = static_cast<std::uint8_t>(std::min<std::uint64_t>(instruction.operand(1).imm.value.u, kFarthest));
  return true;
}

// PALIGNR: of destination and source side by side, what begins `count` bytes up the source.
constexpr auto kAlign = [](__m128i a, __m128i b, std::uint8_t count) {
  const int places = std::min<int>(count, 2 * kFarthest);
  return _mm_or_si128(bytesFrom(b, std::min(places, kFarthest)), bytesFrom(a, places - kFarthest));
};

constexpr std::array kLowerings{
    Lowering{ZYDIS_MNEMONIC_PSLLW, &lowerShift<_mm_sll_epi16>},
    Lowering{ZYDIS_MNEMONIC_PSLLD, &lowerShift<_mm_sll_epi32>},
    Lowering{ZYDIS_MNEMONIC_PSLLQ, &lowerShift<_mm_sll_epi64>},
    Lowering{ZYDIS_MNEMONIC_PSRLW, &lowerShift<_mm_srl_epi16>},
    Lowering{ZYDIS_MNEMONIC_PSRLD, &lowerShift<_mm_srl_epi32>},
    Lowering{ZYDIS_MNEMONIC_PSRLQ, &lowerShift<_mm_srl_epi64>},
    Lowering{ZYDIS_MNEMONIC_PSRAW, &lowerShift<_mm_sra_epi16>},
    Lowering{ZYDIS_MNEMONIC_PSRAD, &lowerShift<_mm_sra_epi32>},
    Lowering{ZYDIS_MNEMONIC_PSLLDQ, &lowerByteShift<&shiftBytesLeft>},
    Lowering{ZYDIS_MNEMONIC_PSRLDQ, &lowerByteShift<&shiftBytesRight>},
    Lowering{ZYDIS_MNEMONIC_PALIGNR, &lowerSelected<kAlign>},
};

}  // namespace

std::span<const Lowering> sseShiftLowerings() {
  return kLowerings;
}

}  // namespace qm::soft
