#include "vmm/hypervisor/soft/operations/sse_lane.h"

#include "vmm/hypervisor/soft/operations/byte_shuffle.h"
#include "vmm/hypervisor/soft/operations/vector_operand.h"

namespace qm::soft {

namespace {

// `detail` is where the lane begins, in bytes.
template <class T>
std::uint8_t laneBegin(const Operand& immediate) {
  constexpr std::uint64_t kLanes = sizeof(Vector) / sizeof(T);
  return static_cast<std::uint8_t>(immediate.imm.value.u % kLanes * sizeof(T));
}

template <class T>
T lane(const Cpu& cpu, const Operation& op) {
  T value;
  __builtin_memcpy(&value, &cpu.ymm[op.from].low.bytes[op.detail], sizeof value);
  return value;
}

// ---- out of a register; a general one gets zeros above the lane

template <class T>
bool extract(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  setReg<std::uint64_t>(cpu, op.to, lane<T>(cpu, op));
  return true;
}

template <class T>
bool extractToMemory(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  std::uint64_t address = 0;
  return effectiveAddress<Form::any>(cpu, op, address) && store(cpu, address, lane<T>(cpu, op));
}

template <class T>
bool lowerExtract(const Instruction& instruction, Emitter& emitter) {
  const Operand& to = instruction.operand(0);
  Operation& op = emitter.add(isMemory(to) ? &step<&extractToMemory<T>> : &step<&extract<T>>);
  if (isMemory(to)) emitter.setAddress(op, to);
  if (isRegister(to)) op.to = registerPlace(to.reg.value);
  op.from = registerNumber(instruction.operand(1).reg.value);
  op.detail = laneBegin<T>(instruction.operand(2));
  return true;
}

// ---- into a register

template <class T>
void insert(Cpu& cpu, const Operation& op, T value) {
  const int below = -static_cast<int>(op.detail);
  const __m128i mask = bytesFrom(zeroExtended(static_cast<T>(~T{0})), below);
  setXmm(cpu, op.to, select(mask, xmm(cpu, op.to), bytesFrom(zeroExtended(value), below)));
}

template <class T>
bool insertFromGeneral(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  insert(cpu, op, reg<T>(cpu, op.from));
  return true;
}

template <class T>
bool insertFromMemory(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  std::uint64_t address = 0;
  T value;
  if (!effectiveAddress<Form::any>(cpu, op, address) || !load(cpu, address, value)) return false;
  insert(cpu, op, value);
  return true;
}

template <class T>
bool lowerInsert(const Instruction& instruction, Emitter& emitter) {
  const Operand& from = instruction.operand(1);
  Operation& op = emitter.add(isMemory(from) ? &step<&insertFromMemory<T>> : &step<&insertFromGeneral<T>>);
  if (isMemory(from)) emitter.setAddress(op, from);
  if (isRegister(from)) op.from = registerPlace(from.reg.value);
  op.to = registerNumber(instruction.operand(0).reg.value);
  op.detail = laneBegin<T>(instruction.operand(2));
  return true;
}

// ---- INSERTPS: bits 6 and 7 choose the source's lane (of a register only), 4 and 5 the destination's, 0 to 3 what is
// cleared

void insertSingle(Cpu& cpu, const Operation& op, __m128i lowest) {
  const __m128i place = at(kWordMasks, wordsOfLanes<4>(1U << (op.detail >> 4U & 3U))),
                cleared = at(kWordMasks, wordsOfLanes<4>(op.detail & 0xfU));
  const __m128i merged = select(place, xmm(cpu, op.to), _mm_shuffle_epi32(lowest, 0));
  setXmm(cpu, op.to, _mm_andnot_si128(cleared, merged));
}

bool insertSingleFromRegister(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  insertSingle(cpu, op, bytesFrom(xmm(cpu, op.from), (op.detail >> 6U) * 4));
  return true;
}

bool insertSingleFromMemory(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  __m128i value;
  if (!Scalar<std::uint32_t>::From<Form::any>::read(cpu, op, value)) return false;
  insertSingle(cpu, op, value);
  return true;
}

bool lowerInsertSingle(const Instruction& instruction, Emitter& emitter) {
  static constexpr VectorTable kTable{.fromRegister = &step<&insertSingleFromRegister>,
                                      .fromMemory = anyForm<&insertSingleFromMemory>()};
  lowerVector(instruction, emitter, kTable);
  return true;
}

constexpr std::array kLowerings{
    Lowering{ZYDIS_MNEMONIC_PEXTRB, &lowerExtract<std::uint8_t>},
    Lowering{ZYDIS_MNEMONIC_PEXTRW, &lowerExtract<std::uint16_t>},
    Lowering{ZYDIS_MNEMONIC_PEXTRD, &lowerExtract<std::uint32_t>},
    Lowering{ZYDIS_MNEMONIC_PEXTRQ, &lowerExtract<std::uint64_t>},
    Lowering{ZYDIS_MNEMONIC_EXTRACTPS, &lowerExtract<std::uint32_t>},
    Lowering{ZYDIS_MNEMONIC_PINSRB, &lowerInsert<std::uint8_t>},
    Lowering{ZYDIS_MNEMONIC_PINSRW, &lowerInsert<std::uint16_t>},
    Lowering{ZYDIS_MNEMONIC_PINSRD, &lowerInsert<std::uint32_t>},
    Lowering{ZYDIS_MNEMONIC_PINSRQ, &lowerInsert<std::uint64_t>},
    Lowering{ZYDIS_MNEMONIC_INSERTPS, &lowerInsertSingle},
    // VEX-encoded, these are the same.
    Lowering{ZYDIS_MNEMONIC_VPEXTRB, &lowerExtract<std::uint8_t>},
    Lowering{ZYDIS_MNEMONIC_VPEXTRW, &lowerExtract<std::uint16_t>},
    Lowering{ZYDIS_MNEMONIC_VPEXTRD, &lowerExtract<std::uint32_t>},
    Lowering{ZYDIS_MNEMONIC_VPEXTRQ, &lowerExtract<std::uint64_t>},
    Lowering{ZYDIS_MNEMONIC_VEXTRACTPS, &lowerExtract<std::uint32_t>},
};

}  // namespace

std::span<const Lowering> sseLaneLowerings() {
  return kLowerings;
}

}  // namespace qm::soft
