// What bodies of the vector families share: XMM registers, and where an operation's source comes from. A body is
// written once over its source; each source is a type with
//   static bool read(Cpu&, const Operation&, __m128i& value)        false: stopped
//
// Instructions of the host beyond SSE2, which the build does not assume, and all that is floating point are inline
// assembly: the compiler then neither swaps operands (whose order decides which NaN comes out) nor moves the
// instruction across a read of MXCSR.
#pragma once

#include <emmintrin.h>

#include <array>
#include <cstdint>

#include "vmm/hypervisor/soft/cpu/address.h"
#include "vmm/hypervisor/soft/cpu/cpu.h"
#include "vmm/hypervisor/soft/decode/emitter.h"
#include "vmm/hypervisor/soft/memory/access.h"

namespace qm::soft {

// XMM registers are always written whole: the host forwards a store to a later load only if it covers the load.
inline __m128i xmm(const Cpu& cpu, std::uint8_t number) {
  return _mm_load_si128(reinterpret_cast<const __m128i*>(&cpu.ymm[number].low));
}
inline void setXmm(Cpu& cpu, std::uint8_t number, __m128i value) {
  _mm_store_si128(reinterpret_cast<__m128i*>(&cpu.ymm[number].low), value);
}

// The low bytes of a register as a number.
template <class T>
inline T lowOf(__m128i value) {
  T low;
  __builtin_memcpy(&low, &value, sizeof low);
  return low;
}

// A number with zeros above it.
inline __m128i zeroExtended(std::uint64_t value) {
  return _mm_cvtsi64_si128(static_cast<long long>(value));
}

// ---- memory operands of 16 bytes that must be aligned: #GP(0) if not (SDM 2, table 2-21, exception type 4 and others)

bool loadAlignedLongWay(Cpu& cpu, std::uint64_t address, Vector& value);
bool storeAlignedLongWay(Cpu& cpu, std::uint64_t address, const Vector& value);

// What is in the page and aligned is known by one comparison.
inline constexpr std::uint64_t kAlignedPageMask = kPageMask | 15U;

inline bool loadAligned(Cpu& cpu, std::uint64_t address, __m128i& value) {
  const TlbEntry& entry = cpu.tlb->read[Tlb::slotOf(address)];
  if ((address & kAlignedPageMask) == entry.page) [[likely]] {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): an entry holds the distance between two kinds of addresses (tlb.h)
    value = _mm_load_si128(reinterpret_cast<const __m128i*>(address + entry.addend));
    return true;
  }
  Vector copy;
  if (!loadAlignedLongWay(cpu, address, copy)) return false;
  value = _mm_load_si128(reinterpret_cast<const __m128i*>(&copy));
  return true;
}

inline bool loadUnaligned(Cpu& cpu, std::uint64_t address, __m128i& value) {
  if (const char* at = readableBytes(cpu, address, sizeof value)) [[likely]] {
    value = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    return true;
  }
  Vector copy;
  if (!readLongWay(cpu, address, &copy, sizeof copy, Intent::read)) return false;
  value = _mm_load_si128(reinterpret_cast<const __m128i*>(&copy));
  return true;
}

inline bool storeAligned(Cpu& cpu, std::uint64_t address, __m128i value) {
  const TlbEntry& entry = cpu.tlb->write[Tlb::slotOf(address)];
  if ((address & kAlignedPageMask) == entry.page) [[likely]] {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): an entry holds the distance between two kinds of addresses (tlb.h)
    _mm_store_si128(reinterpret_cast<__m128i*>(address + entry.addend), value);
    return true;
  }
  Vector copy;
  _mm_store_si128(reinterpret_cast<__m128i*>(&copy), value);
  return storeAlignedLongWay(cpu, address, copy);
}

// ---- sources

struct FromRegister {
  static bool read(Cpu& cpu, const Operation& op, __m128i& value) {
    value = xmm(cpu, op.from);
    return true;
  }
};

template <Form form>
struct FromAligned {
  static bool read(Cpu& cpu, const Operation& op, __m128i& value) {
    std::uint64_t address = 0;
    return effectiveAddress<form>(cpu, op, address) && loadAligned(cpu, address, value);
  }
};

template <Form form>
struct FromUnaligned {
  static bool read(Cpu& cpu, const Operation& op, __m128i& value) {
    std::uint64_t address = 0;
    return effectiveAddress<form>(cpu, op, address) && loadUnaligned(cpu, address, value);
  }
};

// A scalar, with zeros above it.
template <class T>
struct Scalar {
  template <Form form>
  struct From {
    static bool read(Cpu& cpu, const Operation& op, __m128i& value) {
      std::uint64_t address = 0;
      T scalar;
      if (!effectiveAddress<form>(cpu, op, address) || !load(cpu, address, scalar)) return false;
      value = zeroExtended(scalar);
      return true;
    }
  };
};

// ---- tables: an instruction with an XMM register and a source that is one too, or memory

struct VectorTable {
  Handler fromRegister;
  std::array<Handler, 3> fromMemory;  // by form
};

// Body<Source>::run is what step wants.
template <template <class> class Body, template <Form> class Memory>
constexpr VectorTable bySource() {
  return {.fromRegister = &step<&Body<FromRegister>::run>,
          .fromMemory = {&step<&Body<Memory<Form::base>>::run>, &step<&Body<Memory<Form::indexed>>::run>,
                         &step<&Body<Memory<Form::any>>::run>}};
}

// The same, where memory operands are rare.
template <template <class> class Body, template <Form> class Memory>
constexpr VectorTable bySourceRarely() {
  const Handler any = &step<&Body<Memory<Form::any>>::run>;
  return {.fromRegister = &step<&Body<FromRegister>::run>, .fromMemory = {any, any, any}};
}

// Destination, source, and an immediate byte if there is one; that goes into `detail`, for `immediate` may be a part of
// the address.
Operation& lowerVector(const Instruction& instruction, Emitter& emitter, const VectorTable& table);

// ---- what most instructions are: destination = apply(destination, source), with no flags and no faults of their own

template <auto apply, class Source>
inline bool applyTo(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  __m128i value;
  if (!Source::read(cpu, op, value)) return false;
  setXmm(cpu, op.to, apply(xmm(cpu, op.to), value));
  return true;
}

template <auto apply>
struct Packed {
  template <class Source>
  struct From {
    static bool run(Cpu& cpu, const Operation& op, Flags& flags) { return applyTo<apply, Source>(cpu, op, flags); }
  };
};

template <auto apply, template <Form> class Memory = FromAligned>
bool lowerPacked(const Instruction& instruction, Emitter& emitter) {
  static constexpr VectorTable kTable = bySource<Packed<apply>::template From, Memory>();
  lowerVector(instruction, emitter, kTable);
  return true;
}

// The same with the immediate byte: apply(destination, source, detail).
template <auto apply>
struct Selected {
  template <class Source>
  struct From {
    static bool run(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
      __m128i value;
      if (!Source::read(cpu, op, value)) return false;
      setXmm(cpu, op.to, apply(xmm(cpu, op.to), value, op.detail));
      return true;
    }
  };
};

template <auto apply, template <Form> class Memory = FromAligned>
bool lowerSelected(const Instruction& instruction, Emitter& emitter) {
  static constexpr VectorTable kTable = bySource<Selected<apply>::template From, Memory>();
  lowerVector(instruction, emitter, kTable);
  return true;
}

}  // namespace qm::soft
