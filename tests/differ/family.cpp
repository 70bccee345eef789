#include "tests/differ/family.h"

#include <algorithm>
#include <span>
#include <utility>

#include <fmt/format.h>

namespace qm::differ {

namespace {

constexpr std::array<std::string_view, kFamilies> kNames{
    "alu",         "shift",       "muldiv",    "bit",         "string",
    "stack",       "branch",      "move",      "bmi",         "atomics",
    "sse_move",    "sse_int",     "sse_arith", "sse_convert", "sse_compare",
    "sse4",        "aes",         "x87_move",  "x87_arith",   "x87_transcendental",
    "x87_compare", "x87_control", "mmx",       "fxsave",      "hint",
    "trap",        "privileged",  "invalid",   "sequence",    "avx_move",
    "avx_int",     "avx_shuffle", "avx_arith", "avx_convert", "avx_compare",
    "avx_masked",  "avx_aes",     "fma",       "sha",         "avx_sequence"};

using Verdict = std::variant<Family, Refusal>;
using Operands = std::span<const ZydisDecodedOperand>;

bool touches(Operands operands, ZydisRegisterClass which) {
  return std::ranges::any_of(operands, [&](const ZydisDecodedOperand& operand) {
    return operand.type == ZYDIS_OPERAND_TYPE_REGISTER && ZydisRegisterGetClass(operand.reg.value) == which;
  });
}

bool isOneOf(ZydisMnemonic mnemonic, std::initializer_list<ZydisMnemonic> of) {
  return std::ranges::find(of, mnemonic) != of.end();
}

std::optional<Refusal> refusalOf(const ZydisDecodedInstruction& in, Operands operands) {
  if (isOneOf(in.mnemonic, {ZYDIS_MNEMONIC_CPUID, ZYDIS_MNEMONIC_RDTSC, ZYDIS_MNEMONIC_RDTSCP, ZYDIS_MNEMONIC_RDPMC,
                            ZYDIS_MNEMONIC_RDRAND, ZYDIS_MNEMONIC_RDSEED, ZYDIS_MNEMONIC_RDPID}))
    return Refusal::differsByNature;
  if (isOneOf(in.mnemonic, {ZYDIS_MNEMONIC_SYSCALL, ZYDIS_MNEMONIC_SYSENTER, ZYDIS_MNEMONIC_INT}))
    return Refusal::entersKernel;
  if (isOneOf(in.mnemonic,
              {ZYDIS_MNEMONIC_SGDT, ZYDIS_MNEMONIC_SIDT, ZYDIS_MNEMONIC_SLDT, ZYDIS_MNEMONIC_SMSW, ZYDIS_MNEMONIC_STR}))
    return Refusal::emulatedByHost;
  if (isOneOf(in.mnemonic, {ZYDIS_MNEMONIC_LAR, ZYDIS_MNEMONIC_LSL, ZYDIS_MNEMONIC_VERR, ZYDIS_MNEMONIC_VERW,
                            ZYDIS_MNEMONIC_LFS, ZYDIS_MNEMONIC_LGS, ZYDIS_MNEMONIC_LSS, ZYDIS_MNEMONIC_IRET,
                            ZYDIS_MNEMONIC_IRETD, ZYDIS_MNEMONIC_IRETQ}) ||
      in.meta.branch_type == ZYDIS_BRANCH_TYPE_FAR)
    return Refusal::changesSegments;
  const bool loadsSegment = (in.mnemonic == ZYDIS_MNEMONIC_MOV || in.mnemonic == ZYDIS_MNEMONIC_POP) &&
                            touches(operands.first(1), ZYDIS_REGCLASS_SEGMENT);
  if (loadsSegment) return Refusal::changesSegments;
  if (in.meta.category == ZYDIS_CATEGORY_XSAVE || in.meta.category == ZYDIS_CATEGORY_XSAVEOPT) {
    const bool offered = in.meta.isa_set == ZYDIS_ISA_SET_XSAVE || in.meta.isa_set == ZYDIS_ISA_SET_XSAVEOPT;
    return offered ? Refusal::ownTest : Refusal::notOffered;
  }
  return {};
}

bool isPrivileged(const ZydisDecodedInstruction& in, Operands operands) {
  return (in.attributes & ZYDIS_ATTRIB_IS_PRIVILEGED) != 0 || touches(operands, ZYDIS_REGCLASS_CONTROL) ||
         touches(operands, ZYDIS_REGCLASS_DEBUG) || in.meta.category == ZYDIS_CATEGORY_IO ||
         in.meta.category == ZYDIS_CATEGORY_IOSTRINGOP || in.mnemonic == ZYDIS_MNEMONIC_CLI ||
         in.mnemonic == ZYDIS_MNEMONIC_STI;
}

Verdict classifyX87(ZydisMnemonic mnemonic) {
  if (isOneOf(mnemonic, {ZYDIS_MNEMONIC_F2XM1, ZYDIS_MNEMONIC_FCOS, ZYDIS_MNEMONIC_FPATAN, ZYDIS_MNEMONIC_FPTAN,
                         ZYDIS_MNEMONIC_FSIN, ZYDIS_MNEMONIC_FSINCOS, ZYDIS_MNEMONIC_FYL2X, ZYDIS_MNEMONIC_FYL2XP1}))
    return Family::x87_transcendental;
  if (isOneOf(mnemonic, {ZYDIS_MNEMONIC_FCOM, ZYDIS_MNEMONIC_FCOMI, ZYDIS_MNEMONIC_FCOMIP, ZYDIS_MNEMONIC_FCOMP,
                         ZYDIS_MNEMONIC_FCOMPP, ZYDIS_MNEMONIC_FICOM, ZYDIS_MNEMONIC_FICOMP, ZYDIS_MNEMONIC_FTST,
                         ZYDIS_MNEMONIC_FUCOM, ZYDIS_MNEMONIC_FUCOMI, ZYDIS_MNEMONIC_FUCOMIP, ZYDIS_MNEMONIC_FUCOMP,
                         ZYDIS_MNEMONIC_FUCOMPP, ZYDIS_MNEMONIC_FXAM}))
    return Family::x87_compare;
  if (isOneOf(mnemonic, {ZYDIS_MNEMONIC_FBLD, ZYDIS_MNEMONIC_FBSTP, ZYDIS_MNEMONIC_FILD, ZYDIS_MNEMONIC_FIST,
                         ZYDIS_MNEMONIC_FISTP, ZYDIS_MNEMONIC_FISTTP, ZYDIS_MNEMONIC_FLD, ZYDIS_MNEMONIC_FLD1,
                         ZYDIS_MNEMONIC_FLDL2E, ZYDIS_MNEMONIC_FLDL2T, ZYDIS_MNEMONIC_FLDLG2, ZYDIS_MNEMONIC_FLDLN2,
                         ZYDIS_MNEMONIC_FLDPI, ZYDIS_MNEMONIC_FLDZ, ZYDIS_MNEMONIC_FST, ZYDIS_MNEMONIC_FSTP,
                         ZYDIS_MNEMONIC_FSTPNCE, ZYDIS_MNEMONIC_FXCH}))
    return Family::x87_move;
  if (isOneOf(mnemonic, {ZYDIS_MNEMONIC_FDECSTP, ZYDIS_MNEMONIC_FDISI8087_NOP, ZYDIS_MNEMONIC_FENI8087_NOP,
                         ZYDIS_MNEMONIC_FFREE, ZYDIS_MNEMONIC_FFREEP, ZYDIS_MNEMONIC_FINCSTP, ZYDIS_MNEMONIC_FLDCW,
                         ZYDIS_MNEMONIC_FLDENV, ZYDIS_MNEMONIC_FNCLEX, ZYDIS_MNEMONIC_FNINIT, ZYDIS_MNEMONIC_FNOP,
                         ZYDIS_MNEMONIC_FNSAVE, ZYDIS_MNEMONIC_FNSTCW, ZYDIS_MNEMONIC_FNSTENV, ZYDIS_MNEMONIC_FNSTSW,
                         ZYDIS_MNEMONIC_FRSTOR, ZYDIS_MNEMONIC_FSETPM287_NOP, ZYDIS_MNEMONIC_FWAIT}))
    return Family::x87_control;
  return Family::x87_arith;
}

// SSE to SSE3.
Verdict classifySse(const ZydisDecodedInstruction& in) {
  switch (in.meta.category) {
    case ZYDIS_CATEGORY_MISC:  // fences
      return Family::hint;
    case ZYDIS_CATEGORY_DATAXFER:
      return Family::sse_move;
    case ZYDIS_CATEGORY_CONVERT:
      return Family::sse_convert;
    default:
      break;
  }
  if (in.mnemonic == ZYDIS_MNEMONIC_LDDQU) return Family::sse_move;
  if (isOneOf(in.mnemonic,
              {ZYDIS_MNEMONIC_CMPPS, ZYDIS_MNEMONIC_CMPPD, ZYDIS_MNEMONIC_CMPSS, ZYDIS_MNEMONIC_CMPSD,
               ZYDIS_MNEMONIC_COMISS, ZYDIS_MNEMONIC_COMISD, ZYDIS_MNEMONIC_UCOMISS, ZYDIS_MNEMONIC_UCOMISD}))
    return Family::sse_compare;
  const std::string_view name = ZydisMnemonicGetString(in.mnemonic);
  for (const std::string_view start :
       {"add", "sub", "mul", "div", "sqrt", "rsqrt", "rcp", "min", "max", "hadd", "hsub"})
    if (name.starts_with(start)) return Family::sse_arith;
  return Family::sse_int;
}

// AVX, AVX2 and F16C, by names: categories tell less.
Verdict classifyAvx(const ZydisDecodedInstruction& in) {
  struct Start {
    std::string_view text;
    Family family;
  };
  static constexpr std::array kStarts{
      Start{"vmaskmov", Family::avx_masked},
      Start{"vpmaskmov", Family::avx_masked},
      Start{"vgather", Family::avx_masked},
      Start{"vpgather", Family::avx_masked},
      Start{"vaes", Family::avx_aes},
      Start{"vpclmul", Family::avx_aes},
      Start{"vcvt", Family::avx_convert},
      Start{"vcmp", Family::avx_compare},
      Start{"vcomis", Family::avx_compare},
      Start{"vucomis", Family::avx_compare},
      Start{"vptest", Family::avx_compare},
      Start{"vtest", Family::avx_compare},
      Start{"vpcmpestr", Family::avx_compare},
      Start{"vpcmpistr", Family::avx_compare},
      Start{"vmov", Family::avx_move},
      Start{"vlddqu", Family::avx_move},
      Start{"vzero", Family::avx_move},
      Start{"vldmxcsr", Family::avx_move},
      Start{"vstmxcsr", Family::avx_move},
      Start{"vbroadcast", Family::avx_move},
      Start{"vpbroadcast", Family::avx_move},
      Start{"vextract", Family::avx_move},
      Start{"vinsert", Family::avx_move},
      Start{"vpextr", Family::avx_move},
      Start{"vpinsr", Family::avx_move},
      Start{"vperm", Family::avx_shuffle},
      Start{"vshuf", Family::avx_shuffle},
      Start{"vunpck", Family::avx_shuffle},
      Start{"vpunpck", Family::avx_shuffle},
      Start{"vpack", Family::avx_shuffle},
      Start{"vpshuf", Family::avx_shuffle},
      Start{"vblend", Family::avx_shuffle},
      Start{"vpblend", Family::avx_shuffle},
      Start{"vpmov", Family::avx_shuffle},
      Start{"vpalignr", Family::avx_shuffle},
      Start{"vmpsadbw", Family::avx_shuffle},
      Start{"vp", Family::avx_int},
      Start{"vand", Family::avx_int},
      Start{"vor", Family::avx_int},
      Start{"vxor", Family::avx_int},
  };
  const std::string_view name = ZydisMnemonicGetString(in.mnemonic);
  const auto found = std::ranges::find_if(kStarts, [&](const Start& start) { return name.starts_with(start.text); });
  return found == kStarts.end() ? Family::avx_arith : found->family;
}

Verdict classifyInteger(const ZydisDecodedInstruction& in) {
  if (isOneOf(in.mnemonic, {ZYDIS_MNEMONIC_MUL, ZYDIS_MNEMONIC_IMUL, ZYDIS_MNEMONIC_DIV, ZYDIS_MNEMONIC_IDIV}))
    return Family::muldiv;
  if (isOneOf(in.mnemonic, {ZYDIS_MNEMONIC_ENTER, ZYDIS_MNEMONIC_LEAVE})) return Family::stack;
  if (isOneOf(in.mnemonic, {ZYDIS_MNEMONIC_UD0, ZYDIS_MNEMONIC_UD1, ZYDIS_MNEMONIC_UD2, ZYDIS_MNEMONIC_RSM}))
    return Family::trap;  // RSM: outside of system management mode
  switch (in.meta.category) {
    case ZYDIS_CATEGORY_BINARY:
    case ZYDIS_CATEGORY_LOGICAL:
    case ZYDIS_CATEGORY_FLAGOP:
      return Family::alu;
    case ZYDIS_CATEGORY_SHIFT:
    case ZYDIS_CATEGORY_ROTATE:
      return Family::shift;
    case ZYDIS_CATEGORY_BITBYTE:
      return Family::bit;
    case ZYDIS_CATEGORY_STRINGOP:
      return Family::string;
    case ZYDIS_CATEGORY_PUSH:
    case ZYDIS_CATEGORY_POP:
      return Family::stack;
    case ZYDIS_CATEGORY_CALL:
    case ZYDIS_CATEGORY_RET:
    case ZYDIS_CATEGORY_COND_BR:
    case ZYDIS_CATEGORY_UNCOND_BR:
      return Family::branch;
    case ZYDIS_CATEGORY_SEMAPHORE:
      return Family::atomics;
    case ZYDIS_CATEGORY_INTERRUPT:
      return Family::trap;
    case ZYDIS_CATEGORY_NOP:
    case ZYDIS_CATEGORY_WIDENOP:
      return Family::hint;
    default:
      return Family::move;
  }
}

Verdict classifyVector(const ZydisDecodedInstruction& in) {
  switch (in.meta.isa_set) {
    case ZYDIS_ISA_SET_PENTIUMMMX:
    case ZYDIS_ISA_SET_SSE2MMX:
    case ZYDIS_ISA_SET_SSSE3MMX:
      return Family::mmx;
    case ZYDIS_ISA_SET_SSE:
    case ZYDIS_ISA_SET_SSE2:
    case ZYDIS_ISA_SET_SSE3:
      return in.meta.category == ZYDIS_CATEGORY_X87_ALU ? classifyX87(in.mnemonic) : classifySse(in);
    case ZYDIS_ISA_SET_SSSE3:
      return Family::sse_int;
    case ZYDIS_ISA_SET_SSE4:
    case ZYDIS_ISA_SET_SSE42:
      return Family::sse4;
    case ZYDIS_ISA_SET_AES:
    case ZYDIS_ISA_SET_PCLMULQDQ:
      return Family::aes;
    case ZYDIS_ISA_SET_AVX:
    case ZYDIS_ISA_SET_AVX2:
    case ZYDIS_ISA_SET_AVX2GATHER:
    case ZYDIS_ISA_SET_AVXAES:
    case ZYDIS_ISA_SET_F16C:
      return classifyAvx(in);
    case ZYDIS_ISA_SET_FMA:
      return Family::fma;
    case ZYDIS_ISA_SET_SHA:
      return Family::sha;
    case ZYDIS_ISA_SET_FXSAVE:
    case ZYDIS_ISA_SET_FXSAVE64:
    case ZYDIS_ISA_SET_SSEMXCSR:
      return Family::fxsave;
    default:
      return Refusal::notOffered;
  }
}

Verdict classifyByFeature(const ZydisDecodedInstruction& in) {
  switch (in.meta.isa_set) {
    case ZYDIS_ISA_SET_I86:
    case ZYDIS_ISA_SET_I186:
    case ZYDIS_ISA_SET_I286PROTECTED:
    case ZYDIS_ISA_SET_I286REAL:
    case ZYDIS_ISA_SET_I386:
    case ZYDIS_ISA_SET_I486:
    case ZYDIS_ISA_SET_I486REAL:
    case ZYDIS_ISA_SET_PENTIUMREAL:
    case ZYDIS_ISA_SET_PPRO:
    case ZYDIS_ISA_SET_LONGMODE:
    case ZYDIS_ISA_SET_CMOV:
    case ZYDIS_ISA_SET_LAHF:
    case ZYDIS_ISA_SET_MOVBE:
    case ZYDIS_ISA_SET_RDWRFSGS:
    case ZYDIS_ISA_SET_CMPXCHG16B:
    case ZYDIS_ISA_SET_FAT_NOP:
    case ZYDIS_ISA_SET_INVPCID:
      return in.meta.category == ZYDIS_CATEGORY_X87_ALU ? classifyX87(in.mnemonic) : classifyInteger(in);
    case ZYDIS_ISA_SET_POPCNT:
    case ZYDIS_ISA_SET_LZCNT:
      return Family::bit;
    case ZYDIS_ISA_SET_BMI1:
    case ZYDIS_ISA_SET_BMI2:
    case ZYDIS_ISA_SET_ADOX_ADCX:
      return Family::bmi;
    case ZYDIS_ISA_SET_SMAP:  // #UD in user mode
      return Family::trap;
    case ZYDIS_ISA_SET_PREFETCH_NOP:
    case ZYDIS_ISA_SET_SSE_PREFETCH:
    case ZYDIS_ISA_SET_PREFETCHWT1:  // a prefetch of some kind on any CPU
    case ZYDIS_ISA_SET_CLFSH:
    case ZYDIS_ISA_SET_CLFLUSHOPT:
    case ZYDIS_ISA_SET_PAUSE:
    case ZYDIS_ISA_SET_CLDEMOTE:  // a no-operation where it is not offered
      return Family::hint;
    case ZYDIS_ISA_SET_CET:
      // No-operations where shadow stacks are off, and in every program that compilers make.
      if (isOneOf(in.mnemonic,
                  {ZYDIS_MNEMONIC_ENDBR32, ZYDIS_MNEMONIC_ENDBR64, ZYDIS_MNEMONIC_RDSSPD, ZYDIS_MNEMONIC_RDSSPQ}))
        return Family::hint;
      return Refusal::notOffered;
    case ZYDIS_ISA_SET_X87:
    case ZYDIS_ISA_SET_SSE3X87:
    case ZYDIS_ISA_SET_FCMOV:
      return in.meta.isa_set == ZYDIS_ISA_SET_FCMOV ? Verdict(Family::x87_move) : classifyX87(in.mnemonic);
    default:
      return classifyVector(in);
  }
}

}  // namespace

std::string_view nameOf(Family family) {
  return kNames[static_cast<std::size_t>(family)];
}

std::optional<Family> familyNamed(std::string_view name) {
  const auto found = std::ranges::find(kNames, name);
  if (found == kNames.end()) return {};
  return static_cast<Family>(found - kNames.begin());
}

std::string_view nameOf(Refusal refusal) {
  switch (refusal) {
    case Refusal::notOffered:
      return "not offered";
    case Refusal::differsByNature:
      return "time, entropy or identity";
    case Refusal::entersKernel:
      return "enters the kernel";
    case Refusal::changesSegments:
      return "segments and descriptor tables";
    case Refusal::emulatedByHost:
      return "answered by the host's kernel (UMIP)";
    case Refusal::ownTest:
      return "XSAVE: contract tests";
  }
  std::unreachable();
}

std::variant<Family, Refusal> classify(const ZydisDecodedInstruction& instruction,
                                       const ZydisDecodedOperand* operands) {
  const Operands all(operands, instruction.operand_count);
  if (const std::optional<Refusal> why = refusalOf(instruction, all)) return *why;
  const Verdict verdict = classifyByFeature(instruction);
  if (verdict == Verdict(Refusal::notOffered)) return verdict;
  if (isPrivileged(instruction, all)) return Family::privileged;
  if (touches(all, ZYDIS_REGCLASS_MMX)) return Family::mmx;
  return verdict;
}

}  // namespace qm::differ
