// What the families of VEX-encoded vector instructions share: where an operation's last source comes from, and their
// lowering. Destination, first and last source are Operation::to, third and from; a fourth register or the immediate is
// `detail`. Memory operands need no alignment (SDM 2A, 2.4), but for those of a few moves.
//
// The host's instructions are AVX's, AVX2's and FMA's: guests are offered none of these where the host lacks one
// (system/cpuid.h), and cannot switch on what they are not offered.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "vmm/hypervisor/soft/decode/lowering.h"
#include "vmm/hypervisor/soft/operations/simd_exceptions.h"
#include "vmm/hypervisor/soft/operations/vector_operand.h"
#include "vmm/hypervisor/soft/operations/vex_host.h"

namespace qm::soft {

// How much of memory is read, of VEX.128 and of VEX.256. `one…`: a scalar, and VEX.L has no meaning.
enum class Reads : std::uint8_t {
  whole,
  half,
  quarter,
  eighth,
  halfOrWhole,  // 8 of 16 bytes, and 32 of 32: VMOVDDUP
  one32,
  one64,
  always8,
  always16,
  always32,
  always64,
  always128,
};

constexpr bool isScalar(Reads reads) {
  return reads == Reads::one32 || reads == Reads::one64;
}
constexpr unsigned bytesRead(Reads reads, VexLength length) {
  const unsigned whole = length == VexLength::bits256 ? 32 : 16;
  switch (reads) {
    case Reads::whole:
      return whole;
    case Reads::half:
      return whole / 2;
    case Reads::quarter:
      return whole / 4;
    case Reads::eighth:
      return whole / 8;
    case Reads::halfOrWhole:
      return length == VexLength::bits256 ? whole : whole / 2;
    case Reads::always8:
      return 1;
    case Reads::always16:
      return 2;
    case Reads::one32:
    case Reads::always32:
      return 4;
    case Reads::one64:
    case Reads::always64:
      return 8;
    case Reads::always128:
      return 16;
  }
  return 0;
}

// ---- sources: where 16 or 32 bytes can be read that begin with the operand; null: stopped

// For what does not lie in one piece. Not initialised.
struct SpareOperand {
  alignas(32) std::array<std::byte, 32> bytes;
};

// By the long way.
const void* readSpare(Cpu& cpu, std::uint64_t address, unsigned bytes, SpareOperand& spare);
// A scalar, with zeros above it up to 16 bytes.
template <class T>
inline const void* loadSpare(Cpu& cpu, std::uint64_t address, SpareOperand& spare) {
  T value;
  if (!load(cpu, address, value)) return nullptr;
  _mm_store_si128(reinterpret_cast<__m128i*>(&spare), zeroExtended(value));
  return &spare;
}

struct VexFromRegister {
  template <Reads reads, VexLength length>
  static constexpr VexSource kSource = length == VexLength::bits256 ? VexSource::bytes32 : VexSource::bytes16;

  template <Reads reads, VexLength length>
  static const void* find(Cpu& cpu, const Operation& op, SpareOperand& /*spare*/) {
    return &cpu.ymm[op.from];
  }
};

template <Form form>
struct VexFromMemory {
  template <Reads reads, VexLength length>
  static constexpr VexSource kSource = bytesRead(reads, length) == 32 ? VexSource::bytes32 : VexSource::bytes16;

  template <Reads reads, VexLength length>
  static const void* find(Cpu& cpu, const Operation& op, SpareOperand& spare) {
    constexpr unsigned kBytes = bytesRead(reads, length);
    std::uint64_t address = 0;
    if (!effectiveAddress<form>(cpu, op, address)) return nullptr;
    if constexpr (kBytes == 1) return loadSpare<std::uint8_t>(cpu, address, spare);
    if constexpr (kBytes == 2) return loadSpare<std::uint16_t>(cpu, address, spare);
    if constexpr (kBytes == 4) return loadSpare<std::uint32_t>(cpu, address, spare);
    if constexpr (kBytes == 8) return loadSpare<std::uint64_t>(cpu, address, spare);
    if constexpr (kBytes >= 16) {
      if (const char* at = readableBytes(cpu, address, kBytes)) [[likely]]
        return at;
      return readSpare(cpu, address, kBytes, spare);
    }
  }
};

// #GP(0) if it is not aligned to its size.
const void* readAlignedSpare(Cpu& cpu, std::uint64_t address, unsigned bytes, SpareOperand& spare);

template <Form form>
struct VexFromAligned {
  template <Reads reads, VexLength length>
  static constexpr VexSource kSource = VexFromMemory<form>::template kSource<reads, length>;

  template <Reads reads, VexLength length>
  static const void* find(Cpu& cpu, const Operation& op, SpareOperand& spare) {
    constexpr unsigned kBytes = bytesRead(reads, length);
    std::uint64_t address = 0;
    if (!effectiveAddress<form>(cpu, op, address)) return nullptr;
    const TlbEntry& entry = cpu.tlb->read[Tlb::slotOf(address)];
    if ((address & (kPageMask | (kBytes - 1))) == entry.page) [[likely]]
      return reinterpret_cast<const char*>(address + entry.addend);  // NOLINT(performance-no-int-to-ptr): tlb.h
    return readAlignedSpare(cpu, address, kBytes, spare);
  }
};

// ---- bodies

inline VexOperands vexOperands(Cpu& cpu, const Operation& op, WideVector& destination, const void* last) {
  return {.destination = destination,
          .first = cpu.ymm[op.third],
          .last = last,
          .fourth = cpu.ymm[op.detail % cpu.ymm.size()],
          .immediate = op.detail};
}

// How an instruction raises floating-point exceptions: not at all, or as Ranges say.
struct Silent {};
inline constexpr Silent kSilent;

template <VexEncoding host>
__m128i applyVex(__m128i a, __m128i b) {
  WideVector destination, first;
  Vector last;
  _mm_store_si128(reinterpret_cast<__m128i*>(&first), a);
  _mm_store_si128(reinterpret_cast<__m128i*>(&last), b);
  const VexOperands operands{.destination = destination, .first = first, .last = &last, .fourth = first};
  runOnHost<host, VexLength::bits128, VexSource::bytes16>(operands);
  return _mm_load_si128(reinterpret_cast<const __m128i*>(&destination));
}

// What may be the guest's memory is looked at once.
SpareOperand copyOf(const void* last, VexSource source);

// Sources as one part or two.
struct VexParts {
  std::array<TwoVectors, 2> parts;
  std::size_t count;
  std::span<const TwoVectors> all() const { return std::span(parts).first(count); }
};
VexParts partsOf(const VexOperands& operands, VexLength length, VexSource source);

// Bodies have a length and a source: what step wants is With<length, Source>::run.
template <VexEncoding host, Reads reads, auto exceptions>
struct VexBody {
  template <VexLength length, class Source>
  struct With {
    static bool run(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
      constexpr VexSource kSource = Source::template kSource<reads, length>;
      SpareOperand spare;
      const void* const last = Source::template find<reads, length>(cpu, op, spare);
      if (last == nullptr) return false;
      if constexpr (!std::is_same_v<decltype(exceptions), Silent>) {
        if (cpu.simdUnmasked) [[unlikely]] {
          WideVector result = cpu.ymm[op.to];
          const SpareOperand copy = copyOf(last, kSource);
          const VexOperands operands = vexOperands(cpu, op, result, &copy);
          beginLettingThrough(cpu);
          runOnHost<host, length, kSource>(operands);
          if constexpr (exceptions.lanes == 0) {
            if (!endLettingThrough(cpu)) return false;
          } else {
            const VexParts parts = partsOf(operands, length, kSource);
            if (!endLettingThroughByLanes(cpu, exceptions, &applyVex<host>, parts.all())) return false;
          }
          cpu.ymm[op.to] = result;
          return true;
        }
      }
      runOnHost<host, length, kSource>(vexOperands(cpu, op, cpu.ymm[op.to], last));
      return true;
    }
  };
};

// ---- lowering

// The instruction's own, or that of a scalar.
VexLength lengthOf(const Instruction& instruction, Reads reads);

// Destination, sources, immediate and fourth register, by the instruction's operands.
Operation& addVex(const Instruction& instruction, Emitter& emitter, const VexEncoding& encoding,
                  const VectorTable& table);

// Handlers of a body; memory operands have one for all ways of addressing, or each its own for what is met most.
template <template <VexLength, class> class Body, VexLength length, template <Form> class Memory = VexFromMemory>
constexpr VectorTable vexTable() {
  return {.fromRegister = &step<&Body<length, VexFromRegister>::run>,
          .fromMemory = anyForm<&Body<length, Memory<Form::any>>::run>()};
}
template <template <VexLength, class> class Body, VexLength length, template <Form> class Memory = VexFromMemory>
constexpr VectorTable vexTableByForm() {
  return {
      .fromRegister = &step<&Body<length, VexFromRegister>::run>,
      .fromMemory = {&step<&Body<length, Memory<Form::base>>::run>, &step<&Body<length, Memory<Form::indexed>>::run>,
                     &step<&Body<length, Memory<Form::any>>::run>}};
}

// By the instruction `host`, which is the guest's own but where that has no form with registers alone.
template <VexEncoding guest, VexEncoding host, Reads reads = Reads::whole, auto exceptions = kSilent,
          template <Form> class Memory = VexFromMemory>
bool lowerVexBy(const Instruction& instruction, Emitter& emitter) {
  using Body = VexBody<host, reads, exceptions>;
  static constexpr VectorTable kShort = vexTable<Body::template With, VexLength::bits128, Memory>();
  if (!guest.isOf(instruction)) return false;
  if constexpr (isScalar(reads)) {
    addVex(instruction, emitter, guest, kShort);
  } else {
    static constexpr VectorTable kLong = vexTable<Body::template With, VexLength::bits256, Memory>();
    addVex(instruction, emitter, guest, lengthOf(instruction, reads) == VexLength::bits256 ? kLong : kShort);
  }
  return true;
}

template <VexEncoding encoding, Reads reads = Reads::whole, auto exceptions = kSilent>
bool lowerVex(const Instruction& instruction, Emitter& emitter) {
  return lowerVexBy<encoding, encoding, reads, exceptions>(instruction, emitter);
}

// Likewise, for what is met most.
template <VexEncoding guest, VexEncoding host, template <Form> class Memory>
bool lowerVexOften(const Instruction& instruction, Emitter& emitter) {
  using Body = VexBody<host, Reads::whole, kSilent>;
  static constexpr VectorTable kShort = vexTableByForm<Body::template With, VexLength::bits128, Memory>(),
                               kLong = vexTableByForm<Body::template With, VexLength::bits256, Memory>();
  if (!guest.isOf(instruction)) return false;
  addVex(instruction, emitter, guest, lengthOf(instruction, Reads::whole) == VexLength::bits256 ? kLong : kShort);
  return true;
}

// One mnemonic of several encodings.
template <Lower... lower>
bool lowerFirstOf(const Instruction& instruction, Emitter& emitter) {
  return (lower(instruction, emitter) || ...);
}

// VEX.128 clears the upper half of its destination (SDM 1, 14.1.3): behind an operation that keeps it.
void addClearUpper(Emitter& emitter, std::uint8_t number);

}  // namespace qm::soft
