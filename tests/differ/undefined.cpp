#include "tests/differ/undefined.h"

#include <algorithm>
#include <array>

namespace qm::differ {

namespace {

constexpr std::uint64_t kCf = 0x1, kPf = 0x4, kAf = 0x10, kZf = 0x40, kSf = 0x80, kOf = 0x800;
constexpr std::uint64_t kAll = kCf | kPf | kAf | kZf | kSf | kOf;

bool always(const Case& /*subject*/) {
  return true;
}

bool countIsNotZero(const Case& subject) {
  return countOf(subject) != 0;
}

bool countIsAbove1(const Case& subject) {
  return countOf(subject) > 1;
}

bool countReachesWidth(const Case& subject) {
  return countOf(subject) >= subject.instruction.info.operand_width;
}

// The rows of a mnemonic add up.
constexpr std::array kTable{
    UndefinedFlags{ZYDIS_MNEMONIC_AND, kAf, always, "AND: AF is undefined"},
    UndefinedFlags{ZYDIS_MNEMONIC_OR, kAf, always, "OR: AF is undefined"},
    UndefinedFlags{ZYDIS_MNEMONIC_XOR, kAf, always, "XOR: AF is undefined"},
    UndefinedFlags{ZYDIS_MNEMONIC_TEST, kAf, always, "TEST: AF is undefined"},

    UndefinedFlags{ZYDIS_MNEMONIC_SHL, kAf, countIsNotZero, "SAL/SAR/SHL/SHR: non-zero count, AF is undefined"},
    UndefinedFlags{ZYDIS_MNEMONIC_SHR, kAf, countIsNotZero, "SAL/SAR/SHL/SHR: non-zero count, AF is undefined"},
    UndefinedFlags{ZYDIS_MNEMONIC_SAR, kAf, countIsNotZero, "SAL/SAR/SHL/SHR: non-zero count, AF is undefined"},
    UndefinedFlags{ZYDIS_MNEMONIC_SHL, kOf, countIsAbove1, "SAL/SAR/SHL/SHR: OF is affected only for 1-bit shifts"},
    UndefinedFlags{ZYDIS_MNEMONIC_SHR, kOf, countIsAbove1, "SAL/SAR/SHL/SHR: OF is affected only for 1-bit shifts"},
    UndefinedFlags{ZYDIS_MNEMONIC_SAR, kOf, countIsAbove1, "SAL/SAR/SHL/SHR: OF is affected only for 1-bit shifts"},
    UndefinedFlags{ZYDIS_MNEMONIC_SHL, kCf, countReachesWidth, "SAL/SAR/SHL/SHR: CF, count at least the size"},
    UndefinedFlags{ZYDIS_MNEMONIC_SHR, kCf, countReachesWidth, "SAL/SAR/SHL/SHR: CF, count at least the size"},
    UndefinedFlags{ZYDIS_MNEMONIC_ROL, kOf, countIsAbove1, "RCL/RCR/ROL/ROR: OF is defined for 1-bit rotates"},
    UndefinedFlags{ZYDIS_MNEMONIC_ROR, kOf, countIsAbove1, "RCL/RCR/ROL/ROR: OF is defined for 1-bit rotates"},
    UndefinedFlags{ZYDIS_MNEMONIC_RCL, kOf, countIsAbove1, "RCL/RCR/ROL/ROR: OF is defined for 1-bit rotates"},
    UndefinedFlags{ZYDIS_MNEMONIC_RCR, kOf, countIsAbove1, "RCL/RCR/ROL/ROR: OF is defined for 1-bit rotates"},
    UndefinedFlags{ZYDIS_MNEMONIC_SHLD, kAf, countIsNotZero, "SHLD: AF is undefined"},
    UndefinedFlags{ZYDIS_MNEMONIC_SHRD, kAf, countIsNotZero, "SHRD: AF is undefined"},
    UndefinedFlags{ZYDIS_MNEMONIC_SHLD, kOf, countIsAbove1, "SHLD: count greater than 1, OF is undefined"},
    UndefinedFlags{ZYDIS_MNEMONIC_SHRD, kOf, countIsAbove1, "SHRD: count greater than 1, OF is undefined"},

    UndefinedFlags{ZYDIS_MNEMONIC_MUL, kSf | kZf | kAf | kPf, always, "MUL: SF, ZF, AF, PF are undefined"},
    UndefinedFlags{ZYDIS_MNEMONIC_IMUL, kSf | kZf | kAf | kPf, always, "IMUL: SF, ZF, AF, PF are undefined"},
    UndefinedFlags{ZYDIS_MNEMONIC_DIV, kAll, always, "DIV: CF, OF, SF, ZF, AF, PF are undefined"},
    UndefinedFlags{ZYDIS_MNEMONIC_IDIV, kAll, always, "IDIV: CF, OF, SF, ZF, AF, PF are undefined"},

    UndefinedFlags{ZYDIS_MNEMONIC_BSF, kAll & ~kZf, always, "BSF: CF, OF, SF, AF, PF are undefined"},
    UndefinedFlags{ZYDIS_MNEMONIC_BSR, kAll & ~kZf, always, "BSR: CF, OF, SF, AF, PF are undefined"},
    UndefinedFlags{ZYDIS_MNEMONIC_BT, kOf | kSf | kAf | kPf, always, "BT: OF, SF, AF, PF are undefined"},
    UndefinedFlags{ZYDIS_MNEMONIC_BTS, kOf | kSf | kAf | kPf, always, "BTS: OF, SF, AF, PF are undefined"},
    UndefinedFlags{ZYDIS_MNEMONIC_BTR, kOf | kSf | kAf | kPf, always, "BTR: OF, SF, AF, PF are undefined"},
    UndefinedFlags{ZYDIS_MNEMONIC_BTC, kOf | kSf | kAf | kPf, always, "BTC: OF, SF, AF, PF are undefined"},
    UndefinedFlags{ZYDIS_MNEMONIC_LZCNT, kOf | kSf | kPf | kAf, always, "LZCNT: OF, SF, PF, AF are undefined"},
    UndefinedFlags{ZYDIS_MNEMONIC_TZCNT, kOf | kSf | kPf | kAf, always, "TZCNT: OF, SF, PF, AF are undefined"},

    UndefinedFlags{ZYDIS_MNEMONIC_ANDN, kAf | kPf, always, "ANDN: AF, PF are undefined"},
    UndefinedFlags{ZYDIS_MNEMONIC_BEXTR, kAf | kSf | kPf, always, "BEXTR: AF, SF, PF are undefined"},
    UndefinedFlags{ZYDIS_MNEMONIC_BLSI, kAf | kPf, always, "BLSI: AF, PF are undefined"},
    UndefinedFlags{ZYDIS_MNEMONIC_BLSMSK, kAf | kPf, always, "BLSMSK: AF, PF are undefined"},
    UndefinedFlags{ZYDIS_MNEMONIC_BLSR, kAf | kPf, always, "BLSR: AF, PF are undefined"},
    UndefinedFlags{ZYDIS_MNEMONIC_BZHI, kAf | kPf, always, "BZHI: AF, PF are undefined"},
};

}  // namespace

std::span<const UndefinedFlags> undefinedFlags() {
  return kTable;
}

std::uint64_t undefinedAfter(const Case& subject) {
  std::uint64_t flags = 0;
  for (const UndefinedFlags& row : kTable)
    if (row.mnemonic == subject.instruction.info.mnemonic && row.when(subject)) flags |= row.flags;
  return flags;
}

unsigned countOf(const Case& subject) {
  const auto operands = subject.instruction.operands();
  const auto visible = operands.first(subject.instruction.info.operand_count_visible);
  std::uint64_t count = 1;
  for (const ZydisDecodedOperand& operand : visible) {
    if (operand.type == ZYDIS_OPERAND_TYPE_IMMEDIATE) count = operand.imm.value.u;
    if (operand.type == ZYDIS_OPERAND_TYPE_REGISTER && operand.reg.value == ZYDIS_REGISTER_CL &&
        &operand == &visible.back())
      count = subject.state.gprs[at(Gpr::rcx)];
  }
  return static_cast<unsigned>(count & (subject.instruction.info.operand_width == 64 ? 63U : 31U));
}

bool hasUndefinedResult(const Case& subject) {
  const ZydisDecodedInstruction& info = subject.instruction.info;
  switch (info.mnemonic) {
    case ZYDIS_MNEMONIC_SHLD:  // SDM 2B, SHLD: if the count is greater than the operand size, the result is undefined
    case ZYDIS_MNEMONIC_SHRD:
      return countOf(subject) > info.operand_width;
    case ZYDIS_MNEMONIC_BSWAP:  // SDM 2A, BSWAP: of a 16-bit register, the result is undefined
      return info.operand_width == 16;
    default:
      return false;
  }
}

namespace {

// The data pointer follows every operand in memory, or only those of unmasked exceptions, as CPUID.7.0:EBX[6]
// (FDP_EXCPTN_ONLY) says of a CPU; SDM 1, 8.1.8.
void forgiveDataPointer(const Case& subject, FxArea& fx) {
  switch (subject.seed.family) {
    case Family::x87_move:
    case Family::x87_arith:
    case Family::x87_transcendental:
    case Family::x87_compare:
    case Family::sequence:
    case Family::avx_sequence:
      fx.fdp = 0;
      break;
    default:
      break;
  }
}

// Which byte of a long operand faults first, and which of two operands, is nobody's promise; the page is, of the first.
void forgiveFaultAddress(ZydisMnemonic mnemonic, StoredState& state) {
  constexpr std::uint64_t kInPage = kPage - 1;
  switch (mnemonic) {
    case ZYDIS_MNEMONIC_FXSAVE:
    case ZYDIS_MNEMONIC_FXSAVE64:
    case ZYDIS_MNEMONIC_FXRSTOR:
    case ZYDIS_MNEMONIC_FXRSTOR64:
    case ZYDIS_MNEMONIC_FNSAVE:
    case ZYDIS_MNEMONIC_FRSTOR:
    case ZYDIS_MNEMONIC_FNSTENV:
    case ZYDIS_MNEMONIC_FLDENV:
    case ZYDIS_MNEMONIC_MASKMOVQ:
    case ZYDIS_MNEMONIC_MASKMOVDQU:
    case ZYDIS_MNEMONIC_VMASKMOVDQU:
    case ZYDIS_MNEMONIC_VMASKMOVPS:
    case ZYDIS_MNEMONIC_VMASKMOVPD:
    case ZYDIS_MNEMONIC_VPMASKMOVD:
    case ZYDIS_MNEMONIC_VPMASKMOVQ:
      state.cr2 &= ~kInPage;
      break;
    case ZYDIS_MNEMONIC_CMPSB:
    case ZYDIS_MNEMONIC_CMPSW:
    case ZYDIS_MNEMONIC_CMPSD:
    case ZYDIS_MNEMONIC_CMPSQ:
      state.cr2 = 0;
      break;
    default:
      break;
  }
}

// A string operation with 32-bit addresses that faults: whether the upper halves are gone before the first element is
// done (SDM 2B, REP, has no word on it; Intel's are).
void forgiveUpperHalves(const Case& subject, Gprs& gprs) {
  if (subject.seed.family != Family::string || subject.instruction.info.address_width != 32) return;
  for (const Gpr gpr : {Gpr::rcx, Gpr::rsi, Gpr::rdi}) gprs[at(gpr)] &= 0xffff'ffffU;
}

// An MMX store that faults: Intel's CPUs have cleared TOP by then, which turns the order in which FXSAVE stores the
// stack; the tags are as before.
void forgiveTop(const Case& subject, FxArea& fx) {
  constexpr std::uint16_t kTop = 0x3800;
  if (subject.seed.family != Family::mmx) return;
  fx.fsw = static_cast<std::uint16_t>(fx.fsw & ~kTop);
  fx.st = {};
}

// A gather that faults: of its destination the lanes before the fault are done (SDM 2, VPGATHERDD); whether what is
// above the lanes is cleared by then, it does not say.
void forgiveAboveLanes(const Case& subject, StoredState& state) {
  const std::string_view name = ZydisMnemonicGetString(subject.instruction.info.mnemonic);
  if (name.find("gather") == std::string_view::npos) return;
  const ZydisDecodedOperand& to = subject.instruction.operands()[0];
  if (ZydisRegisterGetClass(to.reg.value) == ZYDIS_REGCLASS_XMM) state.upper[numberOf(to.reg.value)] = {};
}

}  // namespace

void forgive(const Case& subject, Outcome& outcome) {
  constexpr std::size_t kReal80Bytes = 10;
  StoredState& state = outcome.state;
  // Where a sequence is stopped by an exception, which flags are undefined is not known.
  constexpr std::uint64_t kStatusFlags = kAll;
  const bool isStopped = isSequence(subject.seed.family) && state.vector != kNoVector;
  state.gprs[at(Gpr::rflags)] &= ~(undefinedAfter(subject) | subject.undefinedFlags | (isStopped ? kStatusFlags : 0));
  FxArea& fx = state.fx;
  fx.reserved = 0;
  fx.available = {};
  for (auto& st : fx.st) std::ranges::fill(std::span(st).subspan(kReal80Bytes), std::uint8_t{0});
  forgiveDataPointer(subject, fx);
  if (state.vector == kNoVector) return;
  forgiveFaultAddress(subject.instruction.info.mnemonic, state);
  forgiveUpperHalves(subject, state.gprs);
  forgiveAboveLanes(subject, state);
  forgiveTop(subject, fx);
}

}  // namespace qm::differ
