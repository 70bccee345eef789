#include "vmm/hypervisor/soft/operations/mmx_convert.h"

#include <array>

#include "vmm/hypervisor/soft/operations/mmx_operand.h"
#include "vmm/hypervisor/soft/operations/simd_exceptions.h"

namespace qm::soft {

namespace {

// ---- the host's conversions between XMM registers, which compute the same of lower halves. Upper ones that are zero
// raise no flags.

constexpr auto kCvtdq2ps = [](__m128i a) {
  asm volatile("cvtdq2ps %0, %0" : "+x"(a));
  return a;
};
constexpr auto kCvtdq2pd = [](__m128i a) {
  asm volatile("cvtdq2pd %0, %0" : "+x"(a));
  return a;
};
constexpr auto kCvtps2dq = [](__m128i a) {
  asm volatile("cvtps2dq %0, %0" : "+x"(a));
  return a;
};
constexpr auto kCvttps2dq = [](__m128i a) {
  asm volatile("cvttps2dq %0, %0" : "+x"(a));
  return a;
};
constexpr auto kCvtpd2dq = [](__m128i a) {
  asm volatile("cvtpd2dq %0, %0" : "+x"(a));
  return a;
};
constexpr auto kCvttpd2dq = [](__m128i a) {
  asm volatile("cvttpd2dq %0, %0" : "+x"(a));
  return a;
};

// ---- integers to floating point

// CVTPI2PS keeps the destination's upper half, two doubles fill it.
constexpr auto kIntoLowerHalf = [](__m128i to, __m128i result) {
  return _mm_castpd_si128(_mm_move_sd(_mm_castsi128_pd(to), _mm_castsi128_pd(result)));
};
constexpr auto kWhole = [](__m128i /*to*/, __m128i result) { return result; };

template <auto convert, auto merge>
bool toFloating(Cpu& cpu, const Operation& op, std::uint64_t value) {
  __m128i result;
  if (!compute(cpu, [&] { result = convert(zeroExtended(value)); })) return false;
  setXmm(cpu, op.to, merge(xmm(cpu, op.to), result));
  return true;
}

template <auto convert, auto merge>
bool fromRegister(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  if (raisesPendingX87(cpu)) return false;
  enterMmx(cpu);
  return toFloating<convert, merge>(cpu, op, mm(cpu, op.from));
}

// Such touch nothing of x87, and wait for none of its exceptions: of CVTPI2PD the SDM says so, CVTPI2PS was seen to do
// the same.
template <auto convert, auto merge>
bool fromMemory(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  std::uint64_t value = 0;
  return FromMemory<std::uint64_t>::read(cpu, op, value) && toFloating<convert, merge>(cpu, op, value);
}

template <auto convert, auto merge>
bool lowerToFloating(const Instruction& instruction, Emitter& emitter) {
  const Operand& from = instruction.operand(1);
  Operation& op = isMemory(from) ? emitter.addMemory(anyForm<&fromMemory<convert, merge>>(), from)
                                 : emitter.add(&step<&fromRegister<convert, merge>>);
  op.to = registerNumber(instruction.operand(0).reg.value);
  if (isRegister(from)) op.from = registerNumber(from.reg.value);
  return true;
}

// ---- floating point to integers

struct FromLowerHalf {
  static bool read(Cpu& cpu, const Operation& op, __m128i& value) {
    value = _mm_move_epi64(xmm(cpu, op.from));
    return true;
  }
};

template <auto convert>
struct ToIntegers {
  template <class Source>
  struct From {
    static bool run(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
      __m128i value;
      __m128i result;
      if (raisesPendingX87(cpu) || !Source::read(cpu, op, value)) return false;
      enterMmx(cpu);
      if (!compute(cpu, [&] { result = convert(value); })) return false;
      setMm(cpu, op.to, lowOf<std::uint64_t>(result));
      return true;
    }
  };
};

template <auto convert, class Register, template <Form> class Memory>
bool lowerToIntegers(const Instruction& instruction, Emitter& emitter) {
  using Convert = ToIntegers<convert>;
  static constexpr VectorTable kTable{
      .fromRegister = &step<&Convert::template From<Register>::run>,
      .fromMemory = anyForm<&Convert::template From<Memory<Form::any>>::run>(),
  };
  lowerVector(instruction, emitter, kTable);
  return true;
}

template <auto convert>
constexpr Lower kOfSingles = &lowerToIntegers<convert, FromLowerHalf, Scalar<std::uint64_t>::From>;
template <auto convert>
constexpr Lower kOfDoubles = &lowerToIntegers<convert, FromRegister, FromAligned>;

constexpr std::array kLowerings{
    Lowering{ZYDIS_MNEMONIC_CVTPI2PS, &lowerToFloating<kCvtdq2ps, kIntoLowerHalf>},
    Lowering{ZYDIS_MNEMONIC_CVTPI2PD, &lowerToFloating<kCvtdq2pd, kWhole>},
    Lowering{ZYDIS_MNEMONIC_CVTPS2PI, kOfSingles<kCvtps2dq>},
    Lowering{ZYDIS_MNEMONIC_CVTTPS2PI, kOfSingles<kCvttps2dq>},
    Lowering{ZYDIS_MNEMONIC_CVTPD2PI, kOfDoubles<kCvtpd2dq>},
    Lowering{ZYDIS_MNEMONIC_CVTTPD2PI, kOfDoubles<kCvttpd2dq>},
};

}  // namespace

std::span<const Lowering> mmxConvertLowerings() {
  return kLowerings;
}

}  // namespace qm::soft
