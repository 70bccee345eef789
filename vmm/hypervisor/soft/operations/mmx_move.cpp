#include "vmm/hypervisor/soft/operations/mmx_move.h"

#include <array>

#include "vmm/hypervisor/soft/operations/mmx_operand.h"
#include "vmm/hypervisor/soft/operations/vector_operand.h"

namespace qm::soft {

namespace {

// The lower half of an XMM register; writing it clears the upper one.
struct FromXmm {
  static bool read(Cpu& cpu, const Operation& op, std::uint64_t& value) {
    value = lowOf<std::uint64_t>(xmm(cpu, op.from));
    return true;
  }
};
struct ToXmm {
  static bool write(Cpu& cpu, const Operation& op, std::uint64_t value) {
    setXmm(cpu, op.to, zeroExtended(value));
    return true;
  }
};

template <class Source, class Destination>
bool move(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  std::uint64_t value = 0;
  if (raisesPendingX87(cpu) || !Source::read(cpu, op, value)) return false;
  clearTop(cpu);
  if (!Destination::write(cpu, op, value)) return false;
  enterMmx(cpu);
  return true;
}

bool isMm(const Operand& operand) {
  return isRegister(operand) && ZydisRegisterGetClass(operand.reg.value) == ZYDIS_REGCLASS_MMX;
}
bool isXmm(const Operand& operand) {
  return isRegister(operand) && ZydisRegisterGetClass(operand.reg.value) == ZYDIS_REGCLASS_XMM;
}

// As Operation has it: a number, or a place if it is a general one.
std::uint8_t registerOf(const Operand& operand) {
  return isMm(operand) || isXmm(operand) ? registerNumber(operand.reg.value) : registerPlace(operand.reg.value);
}

// MOVD, MOVQ and MOVNTQ: T is what is moved, to or from a general register or memory.
template <class T>
bool lowerMove(const Instruction& instruction, Emitter& emitter) {
  const Operand& to = instruction.operand(0);
  const Operand& from = instruction.operand(1);
  Operation& op = isMemory(to)             ? emitter.addMemory(anyForm<&move<FromMm, ToMemory<T>>>(), to)
                  : isMemory(from)         ? emitter.addMemory(anyForm<&move<FromMemory<T>, ToMm>>(), from)
                  : isMm(to) && isMm(from) ? emitter.add(&step<&move<FromMm, ToMm>>)
                  : isMm(to)               ? emitter.add(&step<&move<FromGeneral<T>, ToMm>>)
                                           : emitter.add(&step<&move<FromMm, ToGeneral<T>>>);
  if (isRegister(to)) op.to = registerOf(to);
  if (isRegister(from)) op.from = registerOf(from);
  return true;
}

template <class Source, class Destination>
bool lowerBetween(const Instruction& instruction, Emitter& emitter) {
  Operation& op = emitter.add(&step<&move<Source, Destination>>);
  op.to = registerOf(instruction.operand(0));
  op.from = registerOf(instruction.operand(1));
  return true;
}

// ---- words and signs

// `third` chooses the word; the general register gets zeros above it.
struct FromWordOfMm {
  static bool read(Cpu& cpu, const Operation& op, std::uint64_t& value) {
    value = mm(cpu, op.from) >> (op.third % 4 * 16) & 0xffffU;
    return true;
  }
};
struct ToWordOfMm {
  static bool write(Cpu& cpu, const Operation& op, std::uint64_t value) {
    const unsigned begin = op.third % 4 * 16;
    setMm(cpu, op.to, (mm(cpu, op.to) & ~(std::uint64_t{0xffff} << begin)) | value << begin);
    return true;
  }
};
struct FromSignsOfMm {
  static bool read(Cpu& cpu, const Operation& op, std::uint64_t& value) {
    value = static_cast<std::uint64_t>(_mm_movemask_epi8(zeroExtended(mm(cpu, op.from))));
    return true;
  }
};

bool lowerExtract(const Instruction& instruction, Emitter& emitter) {
  Operation& op = emitter.add(&step<&move<FromWordOfMm, ToGeneral<std::uint64_t>>>);
  op.to = registerOf(instruction.operand(0));
  op.from = registerOf(instruction.operand(1));
  op.third = static_cast<std::uint8_t>(instruction.operand(2).imm.value.u);
  return true;
}

bool lowerInsert(const Instruction& instruction, Emitter& emitter) {
  const Operand& from = instruction.operand(1);
  Operation& op = isMemory(from) ? emitter.addMemory(anyForm<&move<FromMemory<std::uint16_t>, ToWordOfMm>>(), from)
                                 : emitter.add(&step<&move<FromGeneral<std::uint16_t>, ToWordOfMm>>);
  op.to = registerOf(instruction.operand(0));
  if (isRegister(from)) op.from = registerOf(from);
  op.third = static_cast<std::uint8_t>(instruction.operand(2).imm.value.u);
  return true;
}

// ---- MASKMOVQ: the bytes whose mask has its sign set, to where rdi points. All eight must be writable, whichever are
// selected (the processor's choice, SDM 2).

bool storeMasked(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  std::uint64_t address = 0, mask = 0;
  if (raisesPendingX87(cpu) || !effectiveAddress<Form::any>(cpu, op, address) ||
      probeWrite(cpu, address, sizeof mask) == Writability::stopped || !FromSignsOfMm::read(cpu, op, mask))
    return false;
  const std::uint64_t value = mm(cpu, op.to);
  for (unsigned i = 0; i < sizeof value; ++i) {
    if ((mask >> i & 1U) != 0 && !store(cpu, address + i, static_cast<std::uint8_t>(value >> (8 * i)))) return false;
  }
  enterMmx(cpu);
  return true;
}

bool lowerStoreMasked(const Instruction& instruction, Emitter& emitter) {
  Operation& op = emitter.add(&step<&storeMasked>);
  op.to = registerOf(instruction.operand(0));
  op.from = registerOf(instruction.operand(1));
  for (std::size_t i = instruction.explicitOperands(); i < instruction.raw.operand_count; ++i) {
    if (!isMemory(instruction.operand(i))) continue;
    emitter.setAddress(op, instruction.operand(i));
    return true;
  }
  return false;
}

// ---- EMMS

bool empty(Cpu& cpu, const Operation& /*op*/, Flags& /*flags*/) {
  if (raisesPendingX87(cpu)) return false;
  enterMmx(cpu);
  cpu.x87.occupied = 0;
  return true;
}

bool lowerEmpty(const Instruction& /*instruction*/, Emitter& emitter) {
  emitter.add(&step<&empty>);
  return true;
}

constexpr std::array kLowerings{
    Lowering{ZYDIS_MNEMONIC_MOVD, &lowerMove<std::uint32_t>},
    Lowering{ZYDIS_MNEMONIC_MOVQ, &lowerMove<std::uint64_t>},
    Lowering{ZYDIS_MNEMONIC_MOVNTQ, &lowerMove<std::uint64_t>},
    Lowering{ZYDIS_MNEMONIC_MOVQ2DQ, &lowerBetween<FromMm, ToXmm>},
    Lowering{ZYDIS_MNEMONIC_MOVDQ2Q, &lowerBetween<FromXmm, ToMm>},
    Lowering{ZYDIS_MNEMONIC_PMOVMSKB, &lowerBetween<FromSignsOfMm, ToGeneral<std::uint64_t>>},
    Lowering{ZYDIS_MNEMONIC_PEXTRW, &lowerExtract},
    Lowering{ZYDIS_MNEMONIC_PINSRW, &lowerInsert},
    Lowering{ZYDIS_MNEMONIC_MASKMOVQ, &lowerStoreMasked},
    Lowering{ZYDIS_MNEMONIC_EMMS, &lowerEmpty},
};

}  // namespace

std::span<const Lowering> mmxMoveLowerings() {
  return kLowerings;
}

}  // namespace qm::soft
