#include "vmm/hypervisor/soft/operations/sse_convert.h"

#include "vmm/hypervisor/soft/operations/simd_exceptions.h"

namespace qm::soft {

namespace {

// ---- between XMM registers, named as in the manual

constexpr auto kCvtdq2ps = [](__m128i a, __m128i b) {
  asm volatile("cvtdq2ps %1, %0" : "=x"(a) : "x"(b));
  return a;
};
constexpr auto kCvtps2dq = [](__m128i a, __m128i b) {
  asm volatile("cvtps2dq %1, %0" : "=x"(a) : "x"(b));
  return a;
};
constexpr auto kCvttps2dq = [](__m128i a, __m128i b) {
  asm volatile("cvttps2dq %1, %0" : "=x"(a) : "x"(b));
  return a;
};
constexpr auto kCvtdq2pd = [](__m128i a, __m128i b) {
  asm volatile("cvtdq2pd %1, %0" : "=x"(a) : "x"(b));
  return a;
};
constexpr auto kCvtpd2dq = [](__m128i a, __m128i b) {
  asm volatile("cvtpd2dq %1, %0" : "=x"(a) : "x"(b));
  return a;
};
constexpr auto kCvttpd2dq = [](__m128i a, __m128i b) {
  asm volatile("cvttpd2dq %1, %0" : "=x"(a) : "x"(b));
  return a;
};
constexpr auto kCvtpd2ps = [](__m128i a, __m128i b) {
  asm volatile("cvtpd2ps %1, %0" : "=x"(a) : "x"(b));
  return a;
};
constexpr auto kCvtps2pd = [](__m128i a, __m128i b) {
  asm volatile("cvtps2pd %1, %0" : "=x"(a) : "x"(b));
  return a;
};
constexpr auto kCvtss2sd = [](__m128i a, __m128i b) {
  asm volatile("cvtss2sd %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kCvtsd2ss = [](__m128i a, __m128i b) {
  asm volatile("cvtsd2ss %1, %0" : "+x"(a) : "x"(b));
  return a;
};

// ---- from integers in general registers or memory

template <class T>
struct FromGeneral {
  static bool read(Cpu& cpu, const Operation& op, __m128i& value) {
    value = zeroExtended(reg<T>(cpu, op.from));
    return true;
  }
};

template <auto apply, class T>
constexpr VectorTable fromInteger() {
  VectorTable table = bySource<Floating<apply, kNever>::template From, Scalar<T>::template From>();
  table.fromRegister = &step<&Floating<apply, kNever>::template From<FromGeneral<T>>::run>;
  return table;
}

template <auto narrow, auto wide>
bool lowerFromInteger(const Instruction& instruction, Emitter& emitter) {
  static constexpr VectorTable kNarrow = fromInteger<narrow, std::uint32_t>(),
                               kWide = fromInteger<wide, std::uint64_t>();
  const Operand& from = instruction.operand(1);
  const VectorTable& table = from.size == 64 ? kWide : kNarrow;
  Operation& op = isMemory(from) ? emitter.addMemory(table.fromMemory, from) : emitter.add(table.fromRegister);
  op.to = registerNumber(instruction.operand(0).reg.value);
  if (isRegister(from)) op.from = registerPlace(from.reg.value);
  return true;
}

constexpr auto kCvtsi2ssl = [](__m128i a, __m128i b) {
  asm volatile("cvtsi2ssl %1, %0" : "+x"(a) : "r"(lowOf<std::uint32_t>(b)));
  return a;
};
constexpr auto kCvtsi2ssq = [](__m128i a, __m128i b) {
  asm volatile("cvtsi2ssq %1, %0" : "+x"(a) : "r"(lowOf<std::uint64_t>(b)));
  return a;
};
constexpr auto kCvtsi2sdl = [](__m128i a, __m128i b) {
  asm volatile("cvtsi2sdl %1, %0" : "+x"(a) : "r"(lowOf<std::uint32_t>(b)));
  return a;
};
constexpr auto kCvtsi2sdq = [](__m128i a, __m128i b) {
  asm volatile("cvtsi2sdq %1, %0" : "+x"(a) : "r"(lowOf<std::uint64_t>(b)));
  return a;
};

// ---- to integers in general registers

template <auto apply>
struct ToInteger {
  template <class Source>
  struct From {
    static bool run(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
      __m128i value;
      if (!Source::read(cpu, op, value)) return false;
      decltype(apply(value)) integer = 0;
      if (!compute(cpu, [&] { integer = apply(value); })) return false;
      setReg(cpu, op.to, integer);
      return true;
    }
  };
};

template <auto narrow, auto wide, class Memory>
bool lowerToInteger(const Instruction& instruction, Emitter& emitter) {
  static constexpr VectorTable kNarrow = bySource<ToInteger<narrow>::template From, Scalar<Memory>::template From>(),
                               kWide = bySource<ToInteger<wide>::template From, Scalar<Memory>::template From>();
  const Operand& to = instruction.operand(0);
  const Operand& from = instruction.operand(1);
  const VectorTable& table = to.size == 64 ? kWide : kNarrow;
  Operation& op = isMemory(from) ? emitter.addMemory(table.fromMemory, from) : emitter.add(table.fromRegister);
  op.to = registerPlace(to.reg.value);
  if (isRegister(from)) op.from = registerNumber(from.reg.value);
  return true;
}

constexpr auto kCvtss2sil = [](__m128i a) {
  std::uint32_t integer;
  asm volatile("cvtss2si %1, %0" : "=r"(integer) : "x"(a));
  return integer;
};
constexpr auto kCvtss2siq = [](__m128i a) {
  std::uint64_t integer;
  asm volatile("cvtss2si %1, %0" : "=r"(integer) : "x"(a));
  return integer;
};
constexpr auto kCvtsd2sil = [](__m128i a) {
  std::uint32_t integer;
  asm volatile("cvtsd2si %1, %0" : "=r"(integer) : "x"(a));
  return integer;
};
constexpr auto kCvtsd2siq = [](__m128i a) {
  std::uint64_t integer;
  asm volatile("cvtsd2si %1, %0" : "=r"(integer) : "x"(a));
  return integer;
};
constexpr auto kCvttss2sil = [](__m128i a) {
  std::uint32_t integer;
  asm volatile("cvttss2si %1, %0" : "=r"(integer) : "x"(a));
  return integer;
};
constexpr auto kCvttss2siq = [](__m128i a) {
  std::uint64_t integer;
  asm volatile("cvttss2si %1, %0" : "=r"(integer) : "x"(a));
  return integer;
};
constexpr auto kCvttsd2sil = [](__m128i a) {
  std::uint32_t integer;
  asm volatile("cvttsd2si %1, %0" : "=r"(integer) : "x"(a));
  return integer;
};
constexpr auto kCvttsd2siq = [](__m128i a) {
  std::uint64_t integer;
  asm volatile("cvttsd2si %1, %0" : "=r"(integer) : "x"(a));
  return integer;
};

constexpr std::array kLowerings{
    Lowering{ZYDIS_MNEMONIC_CVTDQ2PS, &lowerFloating<kCvtdq2ps, kNever, FromAligned>},
    Lowering{ZYDIS_MNEMONIC_CVTPS2DQ, &lowerFloating<kCvtps2dq, kNever, FromAligned>},
    Lowering{ZYDIS_MNEMONIC_CVTTPS2DQ, &lowerFloating<kCvttps2dq, kNever, FromAligned>},
    Lowering{ZYDIS_MNEMONIC_CVTDQ2PD, &lowerFloating<kCvtdq2pd, kNever, Scalar<std::uint64_t>::From>},
    Lowering{ZYDIS_MNEMONIC_CVTPD2DQ, &lowerFloating<kCvtpd2dq, kNever, FromAligned>},
    Lowering{ZYDIS_MNEMONIC_CVTTPD2DQ, &lowerFloating<kCvttpd2dq, kNever, FromAligned>},
    Lowering{ZYDIS_MNEMONIC_CVTPD2PS, &lowerFloating<kCvtpd2ps, narrowed(2), FromAligned>},
    Lowering{ZYDIS_MNEMONIC_CVTPS2PD, &lowerFloating<kCvtps2pd, kNever, Scalar<std::uint64_t>::From>},
    Lowering{ZYDIS_MNEMONIC_CVTSS2SD, &lowerFloating<kCvtss2sd, kNever, Scalar<std::uint32_t>::From>},
    Lowering{ZYDIS_MNEMONIC_CVTSD2SS, &lowerFloating<kCvtsd2ss, narrowed(1), Scalar<std::uint64_t>::From>},
    Lowering{ZYDIS_MNEMONIC_CVTSI2SS, &lowerFromInteger<kCvtsi2ssl, kCvtsi2ssq>},
    Lowering{ZYDIS_MNEMONIC_CVTSI2SD, &lowerFromInteger<kCvtsi2sdl, kCvtsi2sdq>},
    Lowering{ZYDIS_MNEMONIC_CVTSS2SI, &lowerToInteger<kCvtss2sil, kCvtss2siq, std::uint32_t>},
    Lowering{ZYDIS_MNEMONIC_CVTSD2SI, &lowerToInteger<kCvtsd2sil, kCvtsd2siq, std::uint64_t>},
    Lowering{ZYDIS_MNEMONIC_CVTTSS2SI, &lowerToInteger<kCvttss2sil, kCvttss2siq, std::uint32_t>},
    Lowering{ZYDIS_MNEMONIC_CVTTSD2SI, &lowerToInteger<kCvttsd2sil, kCvttsd2siq, std::uint64_t>},
    // VEX-encoded, these are the same.
    Lowering{ZYDIS_MNEMONIC_VCVTSS2SI, &lowerToInteger<kCvtss2sil, kCvtss2siq, std::uint32_t>},
    Lowering{ZYDIS_MNEMONIC_VCVTSD2SI, &lowerToInteger<kCvtsd2sil, kCvtsd2siq, std::uint64_t>},
    Lowering{ZYDIS_MNEMONIC_VCVTTSS2SI, &lowerToInteger<kCvttss2sil, kCvttss2siq, std::uint32_t>},
    Lowering{ZYDIS_MNEMONIC_VCVTTSD2SI, &lowerToInteger<kCvttsd2sil, kCvttsd2siq, std::uint64_t>},
};

}  // namespace

std::span<const Lowering> sseConvertLowerings() {
  return kLowerings;
}

}  // namespace qm::soft
