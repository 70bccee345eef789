#include "vmm/hypervisor/soft/operations/x87.h"

#include <immintrin.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "vmm/hypervisor/soft/cpu/extended_image.h"
#include "vmm/hypervisor/soft/operations/operand.h"
#include "vmm/hypervisor/soft/operations/x87_host.h"
#include "vmm/hypervisor/soft/operations/x87_pending.h"

namespace qm::soft {

namespace {

constexpr std::size_t kLongestOperand = 108;  // FNSAVE's

FpuImage imageOf(const Cpu& cpu) {
  ExtendedImage state{};
  putX87(state, cpu, PointerWidth::bits64);
  FpuImage image;
  std::copy_n(state.begin(), image.bytes.size(), image.bytes.begin());
  const std::uint32_t mxcsr = _mm_getcsr();
  std::memcpy(image.bytes.data() + kMxcsrStart, &mxcsr, sizeof mxcsr);
  return image;
}

enum class Kind : std::uint8_t { control, arithmetic };

// What the instruction has left; addresses and opcode are not the host's but the guest's. The operand's address and the
// opcode are those of the last instruction that left an unmasked exception (SDM 1, 8.1.8 and 8.1.9.1), whatever the
// host does; the address is that within the segment.
void commit(Cpu& cpu, const Operation& op, const FpuImage& image, Kind kind, std::optional<std::uint64_t> address) {
  const X87State before = cpu.x87;
  ExtendedImage state{};
  std::copy_n(image.bytes.begin(), image.bytes.size(), state.begin());
  getX87(state, cpu, PointerWidth::bits64);
  X87State& x87 = cpu.x87;
  if (kind == Kind::control) return;  // its addresses came from the guest's state, or from memory
  x87.instruction = addressOf(cpu, op);
  const bool isPending = (x87.status & kX87Summary) != 0;
  const std::uint64_t base = cpu.segmentBase[static_cast<std::size_t>(op.segment)];
  x87.operand = isPending && address ? *address - base : before.operand;
  x87.opcode = isPending ? static_cast<std::uint16_t>((op.detail & 7U) << 8U | op.third) : before.opcode;
}

// `detail` is the first opcode byte, `third` the second; `from` tells whether the instruction waits for pending
// exceptions, `to` whether it sets flags (of registers) or how it uses memory.
enum class Waiting : std::uint8_t { no, yes };
enum class SetsFlags : std::uint8_t { no, yes };
enum class MemoryUse : std::uint8_t { read, write };

bool registerForm(Cpu& cpu, const Operation& op, Flags& flags) {
  if (static_cast<Waiting>(op.from) == Waiting::yes && raisesPendingX87(cpu)) return false;
  FpuImage image = imageOf(cpu);
  Flags after = flags;
  hostX87Register((op.detail - 0xd8U) * 64U + (op.third & 63U))(image, nullptr, after);
  if (static_cast<SetsFlags>(op.to) == SetsFlags::yes) flags = after;
  commit(cpu, op, image, static_cast<Waiting>(op.from) == Waiting::yes ? Kind::arithmetic : Kind::control,
         std::nullopt);
  return true;
}

bool readOperand(Cpu& cpu, std::uint64_t address, std::span<std::byte> into) {
  for (std::size_t at = 0; at < into.size();) {
    const std::size_t piece = std::min<std::size_t>(into.size() - at, 10);
    if (!readLongWay(cpu, address + at, into.data() + at, static_cast<unsigned>(piece), Intent::read)) return false;
    at += piece;
  }
  return true;
}

// A number of 10 bytes is two accesses, as processors do it: the second may fault after the first was done.
bool writeOperand(Cpu& cpu, std::uint64_t address, std::span<const std::byte> from) {
  const bool isEnvironment = from.size() > sizeof(ExtendedReal);
  if (isEnvironment && (probeWrite(cpu, address, 1) == Writability::stopped ||
                        probeWrite(cpu, address + from.size() - 1, 1) == Writability::stopped))
    return false;
  for (std::size_t at = 0; at < from.size();) {
    const std::size_t piece = std::min<std::size_t>(from.size() - at, 8);
    if (!writeLongWay(cpu, address + at, from.data() + at, static_cast<unsigned>(piece))) return false;
    at += piece;
  }
  return true;
}

// Environments of 16-bit operands have a length of their own, without and with the registers (SDM 1, figures 8-10 and
// 8-12).
std::size_t memoryFormOf(const Operation& op) {
  const std::size_t form = (op.detail - 0xd8U) * 8U + (op.third >> 3U & 7U);
  return op.immediate == 14 || op.immediate == 94 ? form + kMemoryForms / 2 : form;
}

// FLDENV, FRSTOR, FLDCW load what FNSTENV and its kin store; neither is the last instruction that these tell of.
Kind memoryKind(const Operation& op) {
  const unsigned digit = op.third >> 3U & 7U;
  const bool isControl = (op.detail == 0xd9 && digit >= 4) || (op.detail == 0xdd && (digit == 4 || digit >= 6));
  return isControl ? Kind::control : Kind::arithmetic;
}

// `immediate` is the operand's length in bytes.
bool loadForm(Cpu& cpu, const Operation& op, Flags& flags) {
  std::uint64_t address = 0;
  if ((static_cast<Waiting>(op.from) == Waiting::yes && raisesPendingX87(cpu)) ||
      !effectiveAddress<Form::any>(cpu, op, address))
    return false;
  std::array<std::byte, kLongestOperand> operand{};
  if (!readOperand(cpu, address, std::span(operand).first(op.immediate))) return false;
  FpuImage image = imageOf(cpu);
  Flags unused = flags;
  hostX87Memory(memoryFormOf(op))(image, operand.data(), unused);
  commit(cpu, op, image, memoryKind(op), address);
  return true;
}

// An unmasked exception may keep the host from storing: what two runs leave different was not stored.
bool wasStored(Cpu& cpu, const Operation& op, std::span<const std::byte> first) {
  std::array<std::byte, kLongestOperand> operand{};
  operand.fill(std::byte{0xff});
  FpuImage image = imageOf(cpu);
  Flags unused = 0;
  hostX87Memory(memoryFormOf(op))(image, operand.data(), unused);
  return std::ranges::equal(first, std::span(operand).first(first.size()));
}

bool storeForm(Cpu& cpu, const Operation& op, Flags& flags) {
  std::uint64_t address = 0;
  if ((static_cast<Waiting>(op.from) == Waiting::yes && raisesPendingX87(cpu)) ||
      !effectiveAddress<Form::any>(cpu, op, address))
    return false;
  std::array<std::byte, kLongestOperand> operand{};
  const std::span stored = std::span(operand).first(op.immediate);
  FpuImage image = imageOf(cpu);
  Flags unused = flags;
  hostX87Memory(memoryFormOf(op))(image, operand.data(), unused);
  std::uint16_t status = 0;
  std::memcpy(&status, image.bytes.data() + 2, sizeof status);
  const bool mayBeWithheld = (status & kX87Summary) != 0 && memoryKind(op) == Kind::arithmetic;
  if ((!mayBeWithheld || wasStored(cpu, op, stored)) && !writeOperand(cpu, address, stored)) return false;
  commit(cpu, op, image, memoryKind(op), address);
  return true;
}

// ---- lowering

// Non-waiting forms (SDM 2: FNCLEX, FNINIT, FNSAVE, FNSTCW, FNSTENV, FNSTSW).
bool waits(ZydisMnemonic mnemonic) {
  return mnemonic != ZYDIS_MNEMONIC_FNSAVE && mnemonic != ZYDIS_MNEMONIC_FNSTENV;
}

bool setsFlags(ZydisMnemonic mnemonic) {
  return mnemonic == ZYDIS_MNEMONIC_FCOMI || mnemonic == ZYDIS_MNEMONIC_FCOMIP || mnemonic == ZYDIS_MNEMONIC_FUCOMI ||
         mnemonic == ZYDIS_MNEMONIC_FUCOMIP;
}

const Operand* memoryOperand(const Instruction& instruction) {
  for (std::size_t i = 0; i < instruction.raw.operand_count; ++i) {
    if (isMemory(instruction.operand(i))) return &instruction.operand(i);
  }
  return nullptr;
}

bool lowerX87(const Instruction& instruction, Emitter& emitter) {
  const Operand* memory = memoryOperand(instruction);
  const auto& modrm = instruction.raw.raw.modrm;
  const bool isEnvironment = memory != nullptr && memory->size > 80;
  // Of 16-bit code; that of real mode has a layout of its own.
  if (isEnvironment && instruction.codeSize == CodeSize::bits16) return false;
  const bool isStore = memory != nullptr && (memory->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) != 0;
  Operation& op = memory == nullptr
                      ? emitter.add(&step<&registerForm>)
                      : emitter.addMemory(isStore ? anyForm<&storeForm>() : anyForm<&loadForm>(), *memory);
  op.detail = instruction.raw.opcode;
  op.third = static_cast<std::uint8_t>(modrm.mod << 6U | modrm.reg << 3U | modrm.rm);
  op.from = static_cast<std::uint8_t>(waits(instruction.mnemonic()) ? Waiting::yes : Waiting::no);
  op.to = static_cast<std::uint8_t>(setsFlags(instruction.mnemonic()) ? SetsFlags::yes : SetsFlags::no);
  if (memory != nullptr) op.immediate = memory->size / 8;
  return op.addressing != Addressing::wide && (memory == nullptr || op.immediate <= kLongestOperand);
}

constexpr std::array kMnemonics{
    ZYDIS_MNEMONIC_FADD,    ZYDIS_MNEMONIC_FADDP,   ZYDIS_MNEMONIC_FIADD,    ZYDIS_MNEMONIC_FSUB,
    ZYDIS_MNEMONIC_FSUBP,   ZYDIS_MNEMONIC_FISUB,   ZYDIS_MNEMONIC_FSUBR,    ZYDIS_MNEMONIC_FSUBRP,
    ZYDIS_MNEMONIC_FISUBR,  ZYDIS_MNEMONIC_FMUL,    ZYDIS_MNEMONIC_FMULP,    ZYDIS_MNEMONIC_FIMUL,
    ZYDIS_MNEMONIC_FDIV,    ZYDIS_MNEMONIC_FDIVP,   ZYDIS_MNEMONIC_FIDIV,    ZYDIS_MNEMONIC_FDIVR,
    ZYDIS_MNEMONIC_FDIVRP,  ZYDIS_MNEMONIC_FIDIVR,  ZYDIS_MNEMONIC_FCOM,     ZYDIS_MNEMONIC_FCOMP,
    ZYDIS_MNEMONIC_FCOMPP,  ZYDIS_MNEMONIC_FUCOM,   ZYDIS_MNEMONIC_FUCOMP,   ZYDIS_MNEMONIC_FUCOMPP,
    ZYDIS_MNEMONIC_FCOMI,   ZYDIS_MNEMONIC_FCOMIP,  ZYDIS_MNEMONIC_FUCOMI,   ZYDIS_MNEMONIC_FUCOMIP,
    ZYDIS_MNEMONIC_FICOM,   ZYDIS_MNEMONIC_FICOMP,  ZYDIS_MNEMONIC_FLD,      ZYDIS_MNEMONIC_FST,
    ZYDIS_MNEMONIC_FSTP,    ZYDIS_MNEMONIC_FILD,    ZYDIS_MNEMONIC_FIST,     ZYDIS_MNEMONIC_FISTP,
    ZYDIS_MNEMONIC_FISTTP,  ZYDIS_MNEMONIC_FBLD,    ZYDIS_MNEMONIC_FBSTP,    ZYDIS_MNEMONIC_FLD1,
    ZYDIS_MNEMONIC_FLDL2T,  ZYDIS_MNEMONIC_FLDL2E,  ZYDIS_MNEMONIC_FLDPI,    ZYDIS_MNEMONIC_FLDLG2,
    ZYDIS_MNEMONIC_FLDLN2,  ZYDIS_MNEMONIC_FLDZ,    ZYDIS_MNEMONIC_FCHS,     ZYDIS_MNEMONIC_FABS,
    ZYDIS_MNEMONIC_FTST,    ZYDIS_MNEMONIC_FXAM,    ZYDIS_MNEMONIC_F2XM1,    ZYDIS_MNEMONIC_FYL2X,
    ZYDIS_MNEMONIC_FPTAN,   ZYDIS_MNEMONIC_FPATAN,  ZYDIS_MNEMONIC_FXTRACT,  ZYDIS_MNEMONIC_FPREM1,
    ZYDIS_MNEMONIC_FDECSTP, ZYDIS_MNEMONIC_FINCSTP, ZYDIS_MNEMONIC_FPREM,    ZYDIS_MNEMONIC_FYL2XP1,
    ZYDIS_MNEMONIC_FSQRT,   ZYDIS_MNEMONIC_FSINCOS, ZYDIS_MNEMONIC_FRNDINT,  ZYDIS_MNEMONIC_FSCALE,
    ZYDIS_MNEMONIC_FSIN,    ZYDIS_MNEMONIC_FCOS,    ZYDIS_MNEMONIC_FXCH,     ZYDIS_MNEMONIC_FFREE,
    ZYDIS_MNEMONIC_FFREEP,  ZYDIS_MNEMONIC_FNOP,    ZYDIS_MNEMONIC_FCMOVB,   ZYDIS_MNEMONIC_FCMOVBE,
    ZYDIS_MNEMONIC_FCMOVE,  ZYDIS_MNEMONIC_FCMOVNB, ZYDIS_MNEMONIC_FCMOVNBE, ZYDIS_MNEMONIC_FCMOVNE,
    ZYDIS_MNEMONIC_FCMOVNU, ZYDIS_MNEMONIC_FCMOVU,  ZYDIS_MNEMONIC_FLDENV,   ZYDIS_MNEMONIC_FNSTENV,
    ZYDIS_MNEMONIC_FNSAVE,  ZYDIS_MNEMONIC_FRSTOR,  ZYDIS_MNEMONIC_FSTPNCE,
};

constexpr auto kLowerings = [] {
  std::array<Lowering, kMnemonics.size()> lowerings{};
  for (std::size_t i = 0; i < lowerings.size(); ++i) lowerings[i] = {kMnemonics[i], &lowerX87};
  return lowerings;
}();

}  // namespace

std::span<const Lowering> x87Lowerings() {
  return kLowerings;
}

}  // namespace qm::soft
