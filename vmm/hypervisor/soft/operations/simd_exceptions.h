// Floating-point exceptions of SSE (SDM 1, 11.5). Mostly the guest masks all of them: then an instruction is the
// host's, and its flags collect in the host's MXCSR. If one is let through, each instruction is run by itself on a copy
// and its flags are looked at before its result is kept; that is the slow way, and functions here do it.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>

#include "vmm/hypervisor/soft/operations/simd_ranges.h"
#include "vmm/hypervisor/soft/operations/vector_operand.h"

namespace qm::soft {

// The slow way. False: raised, and `result` is not to be kept.
bool applyLettingThrough(Cpu& cpu, TwoOperands apply, const Ranges& ranges, __m128i a, __m128i b, __m128i& result);

// An instruction on several vectors at once: the halves of YMM registers.
struct TwoVectors {
  __m128i a, b;
};
bool applyLettingThrough(Cpu& cpu, TwoOperands apply, const Ranges& ranges, std::span<const TwoVectors> parts,
                         std::span<__m128i> results);

// The same in two halves, around anything whose result stays in its range.
void beginLettingThrough(Cpu& cpu);
bool endLettingThrough(Cpu& cpu);

// The second half for what may leave its range: each of `parts` is what `apply` makes a part of the result from.
bool endLettingThroughByLanes(Cpu& cpu, const Ranges& ranges, TwoOperands apply, std::span<const TwoVectors> parts);

// The flags of what may have left its range: of MXCSR's control without flags and with every exception masked, and of
// the exceptions that are let through, in the places of the flags.
using FlagsOfRanges = std::function<std::uint32_t(std::uint32_t control, std::uint32_t letThrough)>;
bool endLettingThrough(Cpu& cpu, const FlagsOfRanges& flagsOfRanges);

template <class Compute>
inline bool compute(Cpu& cpu, Compute&& what) {
  if (!cpu.simdUnmasked) [[likely]] {
    what();
    return true;
  }
  beginLettingThrough(cpu);
  what();
  return endLettingThrough(cpu);
}

// destination = apply(destination, source), where `apply` is one instruction of the host.
template <auto apply, Ranges ranges>
struct Floating {
  template <class Source>
  struct From {
    static bool run(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
      __m128i value;
      if (!Source::read(cpu, op, value)) return false;
      if (!cpu.simdUnmasked) [[likely]] {
        setXmm(cpu, op.to, apply(xmm(cpu, op.to), value));
        return true;
      }
      __m128i result;
      if (!applyLettingThrough(cpu, apply, ranges, xmm(cpu, op.to), value, result)) return false;
      setXmm(cpu, op.to, result);
      return true;
    }
  };
};

template <auto apply, Ranges ranges, template <Form> class Memory>
bool lowerFloating(const Instruction& instruction, Emitter& emitter) {
  static constexpr VectorTable kTable = bySource<Floating<apply, ranges>::template From, Memory>();
  lowerVector(instruction, emitter, kTable);
  return true;
}

// One of 2^bits instructions, by the low bits of the immediate: Choice<immediate>::kApply.
template <template <unsigned> class Choice, unsigned bits, Ranges ranges, template <Form> class Memory>
bool lowerFloatingChoice(const Instruction& instruction, Emitter& emitter) {
  static constexpr auto kTables = []<unsigned... i>(std::integer_sequence<unsigned, i...>) {
    return std::array{bySourceRarely<Floating<Choice<i>::kApply, ranges>::template From, Memory>()...};
  }(std::make_integer_sequence<unsigned, 1U << bits>());
  lowerVector(instruction, emitter, kTables[instruction.operand(2).imm.value.u % kTables.size()]);
  return true;
}

}  // namespace qm::soft
