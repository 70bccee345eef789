#include "vmm/hypervisor/soft/operations/branch.h"

#include "vmm/hypervisor/soft/operations/far_transfer.h"
#include "vmm/hypervisor/soft/operations/operand.h"
#include "vmm/hypervisor/soft/operations/stack_access.h"

namespace qm::soft {

namespace {

// Instruction pointers outside 64-bit mode are as wide as the operand (SDM 1, 6.3).
std::uint64_t maskOf(const Operation& op) {
  return op.detail == 2 ? 0xffff : op.detail == 4 ? 0xffff'ffff : ~std::uint64_t{0};
}

// On to `rip`, by the link if there is one. In another page there never is: by what is remembered of recent jumps.
inline const Operation* goTo(Cpu& cpu, const Operation* op, std::uint64_t rip, unsigned way) {
  cpu.gpr[kBlockRip] = rip;
  const std::int32_t link = op->chain[way];
  if (link != 0) [[likely]]
    return op + link;
  if ((op->third >> way & 1U) == 0) {
    if (const Operation* block = cpu.jumps->find(rip)) return block;
  }
  return blockAfter(cpu, op, way);
}

inline const Operation* goToIndirect(Cpu& cpu, std::uint64_t rip) {
  cpu.gpr[kBlockRip] = rip;
  if (const Operation* block = cpu.jumps->find(rip)) [[likely]]
    return block;
  return blockAfter(cpu);
}

std::uint64_t targetOf(const Cpu& cpu, const Operation& op) {
  return cpu.gpr[kBlockRip] + static_cast<std::uint64_t>(static_cast<std::int64_t>(op.displacement));
}

// A branch to an address that is not canonical faults as itself (SDM 2, JMP: #GP(0)).
bool isReachable(Cpu& cpu, std::uint64_t rip) {
  const auto top = static_cast<std::int64_t>(rip) >> 47U;
  if (top == 0 || top == -1) [[likely]]
    return true;
  return raise(cpu, Exception::generalProtection);
}

// ---- bodies

template <Condition condition>
const Operation* jumpIf(Cpu& cpu, const Operation* op, Flags& flags) {
  if (holds<condition>(flags)) return goTo(cpu, op, targetOf(cpu, *op), 1);
  return goTo(cpu, op, addressAfter(cpu, *op), 0);
}

const Operation* jump(Cpu& cpu, const Operation* op, Flags& /*flags*/) {
  return goTo(cpu, op, targetOf(cpu, *op), 1);
}

const Operation* call(Cpu& cpu, const Operation* op, Flags& /*flags*/) {
  if (!push<std::uint64_t>(cpu, addressAfter(cpu, *op))) return nullptr;
  return goTo(cpu, op, targetOf(cpu, *op), 1);
}

const Operation* ret(Cpu& cpu, const Operation* op, Flags& /*flags*/) {
  std::uint64_t rip = 0;
  if (!load(cpu, cpu.gpr[kRsp], rip) || !isReachable(cpu, rip)) return nullptr;
  cpu.gpr[kRsp] += 8 + op->immediate;
  return goToIndirect(cpu, rip);
}

const Operation* jumpRegister(Cpu& cpu, const Operation* op, Flags& /*flags*/) {
  const auto rip = reg<std::uint64_t>(cpu, op->from);
  return isReachable(cpu, rip) ? goToIndirect(cpu, rip) : nullptr;
}

const Operation* jumpMemory(Cpu& cpu, const Operation* op, Flags& /*flags*/) {
  std::uint64_t address = 0, rip = 0;
  if (!effectiveAddress<Form::any>(cpu, *op, address) || !load(cpu, address, rip) || !isReachable(cpu, rip))
    return nullptr;
  return goToIndirect(cpu, rip);
}

const Operation* callRegister(Cpu& cpu, const Operation* op, Flags& /*flags*/) {
  const auto rip = reg<std::uint64_t>(cpu, op->from);
  if (!isReachable(cpu, rip) || !push<std::uint64_t>(cpu, addressAfter(cpu, *op))) return nullptr;
  return goToIndirect(cpu, rip);
}

const Operation* callMemory(Cpu& cpu, const Operation* op, Flags& /*flags*/) {
  std::uint64_t address = 0, rip = 0;
  if (!effectiveAddress<Form::any>(cpu, *op, address) || !load(cpu, address, rip) || !isReachable(cpu, rip) ||
      !push<std::uint64_t>(cpu, addressAfter(cpu, *op)))
    return nullptr;
  return goToIndirect(cpu, rip);
}

// LOOP, LOOPE, LOOPNE and JrCXZ count in the address size (SDM 2).
enum class Counting : std::uint8_t { loop, loopIfZero, loopIfNotZero, jumpIfRcxIsZero };

template <Counting counting>
const Operation* countedBranch(Cpu& cpu, const Operation* op, Flags& flags) {
  constexpr std::uint8_t kRcxPlace = 8;
  const auto counter = [&]<class T>() {
    auto count = reg<T>(cpu, kRcxPlace);
    if constexpr (counting != Counting::jumpIfRcxIsZero) setReg<T>(cpu, kRcxPlace, --count);
    return count != 0;
  };
  const bool isLeft = op->addressBytes == 8   ? counter.template operator()<std::uint64_t>()
                      : op->addressBytes == 4 ? counter.template operator()<std::uint32_t>()
                                              : counter.template operator()<std::uint16_t>();
  bool isTaken = isLeft;
  if constexpr (counting == Counting::loopIfZero) isTaken = isLeft && (flags & kZero) != 0;
  if constexpr (counting == Counting::loopIfNotZero) isTaken = isLeft && (flags & kZero) == 0;
  if constexpr (counting == Counting::jumpIfRcxIsZero) isTaken = !isLeft;
  const std::uint64_t rip = isTaken ? targetOf(cpu, *op) : addressAfter(cpu, *op);
  return goTo(cpu, op, rip & maskOf(*op), isTaken ? 1 : 0);
}

// ---- outside 64-bit mode; `detail` is the operand size in bytes

template <Condition condition>
const Operation* legacyJumpIf(Cpu& cpu, const Operation* op, Flags& flags) {
  const bool isTaken = holds<condition>(flags);
  const std::uint64_t rip = isTaken ? targetOf(cpu, *op) : addressAfter(cpu, *op);
  return goTo(cpu, op, rip & maskOf(*op), isTaken ? 1 : 0);
}

const Operation* legacyJump(Cpu& cpu, const Operation* op, Flags& /*flags*/) {
  return goTo(cpu, op, targetOf(cpu, *op) & maskOf(*op), 1);
}

const Operation* legacyCall(Cpu& cpu, const Operation* op, Flags& /*flags*/) {
  if (!legacyPush(cpu, addressAfter(cpu, *op), op->detail)) return nullptr;
  return goTo(cpu, op, targetOf(cpu, *op) & maskOf(*op), 1);
}

const Operation* legacyRet(Cpu& cpu, const Operation* op, Flags& /*flags*/) {
  std::uint64_t rip = 0;
  if (!legacyPop(cpu, rip, op->detail)) return nullptr;
  releaseStack(cpu, op->immediate);
  return goToIndirect(cpu, rip & maskOf(*op));
}

// The target of an indirect branch outside 64-bit mode; false: stopped.
bool legacyTarget(Cpu& cpu, const Operation& op, std::uint64_t& rip) {
  if (op.base == kNoRegister && op.index == kNoRegister && op.from != 0xff) {
    rip = reg<std::uint64_t>(cpu, op.from) & maskOf(op);
    return true;
  }
  std::uint64_t address = 0;
  std::uint32_t value = 0;
  if (!effectiveAddress<Form::any>(cpu, op, address)) return false;
  if (op.detail == 2) {
    std::uint16_t narrow = 0;
    if (!load(cpu, address, narrow)) return false;
    value = narrow;
  } else if (!load(cpu, address, value)) {
    return false;
  }
  rip = value;
  return true;
}

const Operation* legacyJumpIndirect(Cpu& cpu, const Operation* op, Flags& /*flags*/) {
  std::uint64_t rip = 0;
  return legacyTarget(cpu, *op, rip) ? goToIndirect(cpu, rip) : nullptr;
}

const Operation* legacyCallIndirect(Cpu& cpu, const Operation* op, Flags& /*flags*/) {
  std::uint64_t rip = 0;
  if (!legacyTarget(cpu, *op, rip) || !legacyPush(cpu, addressAfter(cpu, *op), op->detail)) return nullptr;
  return goToIndirect(cpu, rip);
}

// ---- lowering

bool isLegacy(const Instruction& instruction) {
  return instruction.codeSize != CodeSize::bits64;
}

std::int32_t displacementOf(const Instruction& instruction, const Emitter& emitter) {
  return static_cast<std::int32_t>(instruction.operand(0).imm.value.s + emitter.offset() + instruction.raw.length);
}

Operation& addDirect(const Instruction& instruction, Emitter& emitter, Handler flat, Handler legacy) {
  Operation& op = emitter.addBranch(isLegacy(instruction) ? legacy : flat, displacementOf(instruction, emitter));
  op.detail = static_cast<std::uint8_t>(instruction.operandBits() / 8);
  op.segment = SegmentName::ss;  // of a call's return address
  return op;
}

bool addIndirect(const Instruction& instruction, Emitter& emitter, Handler byRegister, Handler byMemory,
                 Handler legacy) {
  const Operand& target = instruction.operand(0);
  Operation& op = emitter.addEnd(isLegacy(instruction) ? legacy : isRegister(target) ? byRegister : byMemory);
  op.detail = static_cast<std::uint8_t>(instruction.operandBits() / 8);
  op.from = isRegister(target) ? registerPlace(target.reg.value) : 0xff;
  op.segment = SegmentName::ss;
  if (isMemory(target)) emitter.setAddress(op, target);
  return true;
}

template <Condition condition>
bool lowerJumpIf(const Instruction& instruction, Emitter& emitter) {
  addDirect(instruction, emitter, &blockEnd<&jumpIf<condition>>, &blockEnd<&legacyJumpIf<condition>>);
  return true;
}

template <Counting counting>
bool lowerCounted(const Instruction& instruction, Emitter& emitter) {
  constexpr Handler kHandler = &blockEnd<&countedBranch<counting>>;
  addDirect(instruction, emitter, kHandler, kHandler).addressBytes =
      static_cast<std::uint8_t>(instruction.addressBits() / 8);
  return true;
}

bool isFar(const Instruction& instruction) {
  return instruction.raw.meta.branch_type == ZYDIS_BRANCH_TYPE_FAR;
}

bool lowerJump(const Instruction& instruction, Emitter& emitter) {
  if (isFar(instruction)) return lowerFarJump(instruction, emitter);
  if (!isImmediate(instruction.operand(0)))
    return addIndirect(instruction, emitter, &blockEnd<&jumpRegister>, &blockEnd<&jumpMemory>,
                       &blockEnd<&legacyJumpIndirect>);
  addDirect(instruction, emitter, &blockEnd<&jump>, &blockEnd<&legacyJump>);
  return true;
}

bool lowerCall(const Instruction& instruction, Emitter& emitter) {
  if (isFar(instruction)) return lowerFarCall(instruction, emitter);
  if (!isImmediate(instruction.operand(0)))
    return addIndirect(instruction, emitter, &blockEnd<&callRegister>, &blockEnd<&callMemory>,
                       &blockEnd<&legacyCallIndirect>);
  addDirect(instruction, emitter, &blockEnd<&call>, &blockEnd<&legacyCall>);
  return true;
}

bool lowerRet(const Instruction& instruction, Emitter& emitter) {
  if (isFar(instruction)) return lowerFarRet(instruction, emitter);
  Operation& op = emitter.addEnd(isLegacy(instruction) ? &blockEnd<&legacyRet> : &blockEnd<&ret>);
  op.detail = static_cast<std::uint8_t>(instruction.operandBits() / 8);
  op.segment = SegmentName::ss;
  op.immediate = isImmediate(instruction.operand(0)) ? instruction.operand(0).imm.value.u : 0;
  return true;
}

using enum Condition;
constexpr std::array kLowerings{
    Lowering{ZYDIS_MNEMONIC_JO, &lowerJumpIf<o>},
    Lowering{ZYDIS_MNEMONIC_JNO, &lowerJumpIf<no>},
    Lowering{ZYDIS_MNEMONIC_JB, &lowerJumpIf<b>},
    Lowering{ZYDIS_MNEMONIC_JNB, &lowerJumpIf<nb>},
    Lowering{ZYDIS_MNEMONIC_JZ, &lowerJumpIf<z>},
    Lowering{ZYDIS_MNEMONIC_JNZ, &lowerJumpIf<nz>},
    Lowering{ZYDIS_MNEMONIC_JBE, &lowerJumpIf<be>},
    Lowering{ZYDIS_MNEMONIC_JNBE, &lowerJumpIf<nbe>},
    Lowering{ZYDIS_MNEMONIC_JS, &lowerJumpIf<s>},
    Lowering{ZYDIS_MNEMONIC_JNS, &lowerJumpIf<ns>},
    Lowering{ZYDIS_MNEMONIC_JP, &lowerJumpIf<p>},
    Lowering{ZYDIS_MNEMONIC_JNP, &lowerJumpIf<np>},
    Lowering{ZYDIS_MNEMONIC_JL, &lowerJumpIf<l>},
    Lowering{ZYDIS_MNEMONIC_JNL, &lowerJumpIf<nl>},
    Lowering{ZYDIS_MNEMONIC_JLE, &lowerJumpIf<le>},
    Lowering{ZYDIS_MNEMONIC_JNLE, &lowerJumpIf<nle>},
    Lowering{ZYDIS_MNEMONIC_LOOP, &lowerCounted<Counting::loop>},
    Lowering{ZYDIS_MNEMONIC_LOOPE, &lowerCounted<Counting::loopIfZero>},
    Lowering{ZYDIS_MNEMONIC_LOOPNE, &lowerCounted<Counting::loopIfNotZero>},
    Lowering{ZYDIS_MNEMONIC_JCXZ, &lowerCounted<Counting::jumpIfRcxIsZero>},
    Lowering{ZYDIS_MNEMONIC_JECXZ, &lowerCounted<Counting::jumpIfRcxIsZero>},
    Lowering{ZYDIS_MNEMONIC_JRCXZ, &lowerCounted<Counting::jumpIfRcxIsZero>},
    Lowering{ZYDIS_MNEMONIC_JMP, &lowerJump},
    Lowering{ZYDIS_MNEMONIC_CALL, &lowerCall},
    Lowering{ZYDIS_MNEMONIC_RET, &lowerRet},
};

}  // namespace

const Operation* fallThrough(Cpu& cpu, const Operation* op, Flags& /*flags*/) {
  return goTo(cpu, op, addressOf(cpu, *op), 0);
}

std::span<const Lowering> branchLowerings() {
  return kLowerings;
}

}  // namespace qm::soft
