#include "vmm/hypervisor/soft/operations/sse_move.h"

#include "vmm/hypervisor/soft/operations/vector_operand.h"

namespace qm::soft {

namespace {

// ---- whole registers: aligned, unaligned, and past the caches, which we have none of

template <class Source>
struct MoveWhole {
  static bool run(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
    __m128i value;
    if (!Source::read(cpu, op, value)) return false;
    setXmm(cpu, op.to, value);
    return true;
  }
};

template <Form form>
struct StoreAligned {
  static bool run(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
    std::uint64_t address = 0;
    return effectiveAddress<form>(cpu, op, address) && storeAligned(cpu, address, xmm(cpu, op.from));
  }
};

template <Form form>
struct StoreUnaligned {
  static bool run(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
    std::uint64_t address = 0;
    return effectiveAddress<form>(cpu, op, address) && store(cpu, address, xmm(cpu, op.from));
  }
};

bool lowerStore(const Instruction& instruction, Emitter& emitter, const std::array<Handler, 3>& byForm) {
  emitter.addMemory(byForm, instruction.operand(0)).from = registerNumber(instruction.operand(1).reg.value);
  return true;
}

bool lowerAligned(const Instruction& instruction, Emitter& emitter) {
  static constexpr VectorTable kLoad = bySource<MoveWhole, FromAligned>();
  static constexpr std::array<Handler, 3> kStore = byForm<StoreAligned>();
  if (isMemory(instruction.operand(0))) return lowerStore(instruction, emitter, kStore);
  lowerVector(instruction, emitter, kLoad);
  return true;
}

bool lowerUnaligned(const Instruction& instruction, Emitter& emitter) {
  static constexpr VectorTable kLoad = bySource<MoveWhole, FromUnaligned>();
  static constexpr std::array<Handler, 3> kStore = byForm<StoreUnaligned>();
  if (isMemory(instruction.operand(0))) return lowerStore(instruction, emitter, kStore);
  lowerVector(instruction, emitter, kLoad);
  return true;
}

// ---- scalars: between registers the rest is kept (MOVSS, MOVSD) or cleared (MOVQ), from memory it is cleared

template <class T, Form form>
struct StoreLow {
  static bool run(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
    std::uint64_t address = 0;
    return effectiveAddress<form>(cpu, op, address) && store(cpu, address, lowOf<T>(xmm(cpu, op.from)));
  }
};

template <class T>
struct Low {
  template <Form form>
  using Store = StoreLow<T, form>;
};

// Of a scalar's register form: what `apply` makes of destination and source.
template <class T, auto apply>
bool lowerScalar(const Instruction& instruction, Emitter& emitter) {
  static constexpr VectorTable kMemory = bySource<MoveWhole, Scalar<T>::template From>();
  static constexpr VectorTable kLoad{.fromRegister = &step<&applyTo<apply, FromRegister>>,
                                     .fromMemory = kMemory.fromMemory};
  static constexpr std::array<Handler, 3> kStore = byForm<Low<T>::template Store>();
  if (isMemory(instruction.operand(0))) return lowerStore(instruction, emitter, kStore);
  lowerVector(instruction, emitter, kLoad);
  return true;
}

constexpr auto kMergeSingle = [](__m128i a, __m128i b) {
  return _mm_castps_si128(_mm_move_ss(_mm_castsi128_ps(a), _mm_castsi128_ps(b)));
};
constexpr auto kMergeDouble = [](__m128i a, __m128i b) {
  return _mm_castpd_si128(_mm_move_sd(_mm_castsi128_pd(a), _mm_castsi128_pd(b)));
};
constexpr auto kLowQuadword = [](__m128i /*a*/, __m128i b) { return _mm_move_epi64(b); };

// ---- MOVD and MOVQ with general registers

template <class T>
bool fromGeneral(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  setXmm(cpu, op.to, zeroExtended(reg<T>(cpu, op.from)));
  return true;
}

template <class T>
bool toGeneral(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  setReg<T>(cpu, op.to, lowOf<T>(xmm(cpu, op.from)));
  return true;
}

bool isGeneral(const Operand& operand) {
  return isRegister(operand) && ZydisRegisterGetClass(operand.reg.value) != ZYDIS_REGCLASS_XMM;
}

template <class T>
bool lowerWithGeneral(const Instruction& instruction, Emitter& emitter) {
  const Operand& to = instruction.operand(0);
  const Operand& from = instruction.operand(1);
  if (!isGeneral(to) && !isGeneral(from)) return lowerScalar<T, kLowQuadword>(instruction, emitter);
  Operation& op = emitter.add(isGeneral(to) ? &step<&toGeneral<T>> : &step<&fromGeneral<T>>);
  op.to = isGeneral(to) ? registerPlace(to.reg.value) : registerNumber(to.reg.value);
  op.from = isGeneral(from) ? registerPlace(from.reg.value) : registerNumber(from.reg.value);
  return true;
}

// ---- halves: MOVLPS MOVHPS and the like; the other half is kept

template <auto merge>
struct MergeHalf {
  template <Form form>
  struct Load {
    static bool run(Cpu& cpu, const Operation& op, Flags& flags) {
      return applyTo<merge, typename Scalar<std::uint64_t>::template From<form>>(cpu, op, flags);
    }
  };
};

template <Form form>
struct StoreHigh {
  static bool run(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
    std::uint64_t address = 0;
    const __m128i value = xmm(cpu, op.from);
    return effectiveAddress<form>(cpu, op, address) &&
           store(cpu, address, lowOf<std::uint64_t>(_mm_unpackhi_epi64(value, value)));
  }
};

constexpr auto kLowToHigh = [](__m128i a, __m128i b) { return _mm_unpacklo_epi64(a, b); };
constexpr auto kHighToLow = [](__m128i a, __m128i b) { return _mm_unpackhi_epi64(b, a); };

bool lowerLoadHalf(const Instruction& instruction, Emitter& emitter, const std::array<Handler, 3>& byForm) {
  emitter.addMemory(byForm, instruction.operand(1)).to = registerNumber(instruction.operand(0).reg.value);
  return true;
}

bool lowerLowHalf(const Instruction& instruction, Emitter& emitter) {
  static constexpr std::array<Handler, 3> kLoad = byForm<MergeHalf<kMergeDouble>::Load>(),
                                          kStore = byForm<Low<std::uint64_t>::Store>();
  return isMemory(instruction.operand(0)) ? lowerStore(instruction, emitter, kStore)
                                          : lowerLoadHalf(instruction, emitter, kLoad);
}

bool lowerHighHalf(const Instruction& instruction, Emitter& emitter) {
  static constexpr std::array<Handler, 3> kLoad = byForm<MergeHalf<kLowToHigh>::Load>(), kStore = byForm<StoreHigh>();
  return isMemory(instruction.operand(0)) ? lowerStore(instruction, emitter, kStore)
                                          : lowerLoadHalf(instruction, emitter, kLoad);
}

// MOVHLPS and MOVLHPS: registers only.
template <auto merge>
bool lowerBetweenHalves(const Instruction& instruction, Emitter& emitter) {
  Operation& op = emitter.add(&step<&applyTo<merge, FromRegister>>);
  op.to = registerNumber(instruction.operand(0).reg.value);
  op.from = registerNumber(instruction.operand(1).reg.value);
  return true;
}

// ---- duplicates: MOVDDUP reads 8 bytes of memory, the others 16

constexpr auto kTwice = [](__m128i /*to*/, __m128i a) { return _mm_unpacklo_epi64(a, a); };
constexpr auto kOdd = [](__m128i /*to*/, __m128i a) { return _mm_shuffle_epi32(a, 0xf5); };
constexpr auto kEven = [](__m128i /*to*/, __m128i a) { return _mm_shuffle_epi32(a, 0xa0); };

// ---- signs: MOVMSKPS MOVMSKPD PMOVMSKB

constexpr auto kSignsOfSingles = [](__m128i a) { return _mm_movemask_ps(_mm_castsi128_ps(a)); };
constexpr auto kSignsOfDoubles = [](__m128i a) { return _mm_movemask_pd(_mm_castsi128_pd(a)); };
constexpr auto kSignsOfBytes = [](__m128i a) { return _mm_movemask_epi8(a); };

template <auto signs>
bool signsToGeneral(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  setReg(cpu, op.to, static_cast<std::uint32_t>(signs(xmm(cpu, op.from))));
  return true;
}

template <auto signs>
bool lowerSigns(const Instruction& instruction, Emitter& emitter) {
  Operation& op = emitter.add(&step<&signsToGeneral<signs>>);
  op.to = registerPlace(instruction.operand(0).reg.value);
  op.from = registerNumber(instruction.operand(1).reg.value);
  return true;
}

// ---- MASKMOVDQU: the bytes whose mask has its sign set, to where rdi points. Which faults come of bytes that are not
// selected is the processor's choice (SDM 2); as those do that this was compared with, either half must be writable,
// the upper one first.

bool storeMasked(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  constexpr unsigned kHalf = 8;
  std::uint64_t address = 0;
  if (!effectiveAddress<Form::any>(cpu, op, address) ||
      probeWrite(cpu, address + kHalf, kHalf) == Writability::stopped ||
      probeWrite(cpu, address, kHalf) == Writability::stopped)
    return false;
  const auto mask = static_cast<std::uint32_t>(_mm_movemask_epi8(xmm(cpu, op.from)));
  const Vector value = cpu.ymm[op.to].low;
  for (unsigned i = 0; i < value.bytes.size(); ++i) {
    if ((mask >> i & 1U) != 0 && !store(cpu, address + i, value.bytes[i])) return false;
  }
  return true;
}

bool lowerStoreMasked(const Instruction& instruction, Emitter& emitter) {
  Operation& op = emitter.add(&step<&storeMasked>);
  op.to = registerNumber(instruction.operand(0).reg.value);
  op.from = registerNumber(instruction.operand(1).reg.value);
  for (std::size_t i = instruction.explicitOperands(); i < instruction.raw.operand_count; ++i) {
    if (!isMemory(instruction.operand(i))) continue;
    emitter.setAddress(op, instruction.operand(i));
    return true;
  }
  return false;
}

constexpr std::array kLowerings{
    Lowering{ZYDIS_MNEMONIC_MOVAPS, &lowerAligned},
    Lowering{ZYDIS_MNEMONIC_MOVAPD, &lowerAligned},
    Lowering{ZYDIS_MNEMONIC_MOVDQA, &lowerAligned},
    Lowering{ZYDIS_MNEMONIC_MOVNTPS, &lowerAligned},
    Lowering{ZYDIS_MNEMONIC_MOVNTPD, &lowerAligned},
    Lowering{ZYDIS_MNEMONIC_MOVNTDQ, &lowerAligned},
    Lowering{ZYDIS_MNEMONIC_MOVNTDQA, &lowerAligned},
    Lowering{ZYDIS_MNEMONIC_MOVUPS, &lowerUnaligned},
    Lowering{ZYDIS_MNEMONIC_MOVUPD, &lowerUnaligned},
    Lowering{ZYDIS_MNEMONIC_MOVDQU, &lowerUnaligned},
    Lowering{ZYDIS_MNEMONIC_LDDQU, &lowerUnaligned},
    Lowering{ZYDIS_MNEMONIC_MOVSS, &lowerScalar<std::uint32_t, kMergeSingle>},
    Lowering{ZYDIS_MNEMONIC_MOVSD, &lowerScalar<std::uint64_t, kMergeDouble>},
    Lowering{ZYDIS_MNEMONIC_MOVD, &lowerWithGeneral<std::uint32_t>},
    Lowering{ZYDIS_MNEMONIC_MOVQ, &lowerWithGeneral<std::uint64_t>},
    Lowering{ZYDIS_MNEMONIC_MOVLPS, &lowerLowHalf},
    Lowering{ZYDIS_MNEMONIC_MOVLPD, &lowerLowHalf},
    Lowering{ZYDIS_MNEMONIC_MOVHPS, &lowerHighHalf},
    Lowering{ZYDIS_MNEMONIC_MOVHPD, &lowerHighHalf},
    Lowering{ZYDIS_MNEMONIC_MOVHLPS, &lowerBetweenHalves<kHighToLow>},
    Lowering{ZYDIS_MNEMONIC_MOVLHPS, &lowerBetweenHalves<kLowToHigh>},
    Lowering{ZYDIS_MNEMONIC_MOVDDUP, &lowerPacked<kTwice, Scalar<std::uint64_t>::From>},
    Lowering{ZYDIS_MNEMONIC_MOVSHDUP, &lowerPacked<kOdd>},
    Lowering{ZYDIS_MNEMONIC_MOVSLDUP, &lowerPacked<kEven>},
    Lowering{ZYDIS_MNEMONIC_MOVMSKPS, &lowerSigns<kSignsOfSingles>},
    Lowering{ZYDIS_MNEMONIC_MOVMSKPD, &lowerSigns<kSignsOfDoubles>},
    Lowering{ZYDIS_MNEMONIC_PMOVMSKB, &lowerSigns<kSignsOfBytes>},
    Lowering{ZYDIS_MNEMONIC_MASKMOVDQU, &lowerStoreMasked},
    Lowering{ZYDIS_MNEMONIC_VMASKMOVDQU, &lowerStoreMasked},
};

}  // namespace

std::span<const Lowering> sseMoveLowerings() {
  return kLowerings;
}

}  // namespace qm::soft
