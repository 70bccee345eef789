// Segment descriptors, as the GDT and the LDT hold them (SDM 3A, 3.4.5, 3.5, 7.2).
#pragma once

#include <cstdint>

#include "vmm/hypervisor/soft/cpu/cpu.h"

namespace qm::soft {

// The 8 bytes of figure 3-8. Descriptors of system segments are followed by 8 more in IA-32e mode.
struct Descriptor {
  std::uint64_t raw = 0;

  constexpr std::uint8_t type() const { return static_cast<std::uint8_t>(raw >> 40U & 0xfU); }
  constexpr bool isSystem() const { return (raw >> 44U & 1U) == 0; }
  constexpr std::uint8_t dpl() const { return static_cast<std::uint8_t>(raw >> 45U & 3U); }
  constexpr bool isPresent() const { return (raw >> 47U & 1U) != 0; }
  constexpr bool isLong() const { return (raw >> 53U & 1U) != 0; }
  constexpr bool isBig() const { return (raw >> 54U & 1U) != 0; }  // D or B

  // Of code and data (table 3-1).
  constexpr bool isAccessed() const { return (type() & 1U) != 0; }
  constexpr bool isCode() const { return !isSystem() && (type() & 8U) != 0; }
  constexpr bool isData() const { return !isSystem() && (type() & 8U) == 0; }
  constexpr bool isConforming() const { return isCode() && (type() & 4U) != 0; }
  constexpr bool isReadable() const { return isData() || (isCode() && (type() & 2U) != 0); }
  constexpr bool isWritable() const { return isData() && (type() & 2U) != 0; }

  constexpr std::uint32_t base() const {
    return static_cast<std::uint32_t>((raw >> 16U & 0xff'ffffU) | (raw >> 32U & 0xff00'0000U));
  }
  // In bytes.
  constexpr std::uint32_t limit() const {
    const auto field = static_cast<std::uint32_t>((raw & 0xffffU) | (raw >> 32U & 0xf'0000U));
    return (raw >> 55U & 1U) != 0 ? field << 12U | 0xfffU : field;
  }
};

// A selector (figure 3-6).
constexpr std::uint8_t rplOf(std::uint16_t selector) {
  return selector & 3U;
}
constexpr bool isNull(std::uint16_t selector) {
  return (selector & 0xfffcU) == 0;
}
// As an exception's error code names it.
constexpr std::uint32_t errorCodeOf(std::uint16_t selector) {
  return selector & 0xfffcU;
}

inline bool isProtected(const Cpu& cpu) {
  return (cpu.system.cr0 & cr0::kPe) != 0;
}
// IA-32e mode: 64-bit mode or compatibility mode.
inline bool isLongMode(const Cpu& cpu) {
  return (cpu.system.efer & efer::kLma) != 0;
}

// Reads the descriptor of a selector that is not null. Of one beyond its table's limit the exception is #GP(selector).
bool readDescriptor(Cpu& cpu, std::uint16_t selector, Descriptor& descriptor);
// The 8 bytes that follow it, of a system segment's in IA-32e mode: the upper half of the base in the low half.
bool readUpperHalf(Cpu& cpu, std::uint16_t selector, std::uint64_t& upper);
// Whether the first `bytes` of the descriptor are within the table's limit.
bool isWithinTable(const Cpu& cpu, std::uint16_t selector, unsigned bytes);
// Changes the type in memory, in the one byte that has it; the descriptor follows.
bool writeType(Cpu& cpu, std::uint16_t selector, Descriptor& descriptor, std::uint8_t type);
// Sets a code or data segment's accessed bit, if it is clear (3.4.5.1).
bool markAccessed(Cpu& cpu, std::uint16_t selector, Descriptor& descriptor);

// The hidden part that loading the descriptor makes.
Segment segmentOf(std::uint16_t selector, const Descriptor& descriptor);

}  // namespace qm::soft
