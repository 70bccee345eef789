// What bodies of the MMX family share: its registers, and where operands come from and go to. A source is a type with
//   static bool read(Cpu&, const Operation&, std::uint64_t& value)              false: stopped
// and a destination one with
//   static bool write(Cpu&, const Operation&, std::uint64_t value)              false: stopped
//
// MM0 to MM7 are the significands of the x87 registers R0 to R7, whatever TOP is. An instruction on them first raises
// what x87 has pending, and leaves TOP 0 and every register occupied (SDM 1, 9.5.1). As the processors do that this was
// compared with, one whose conversion raises #XM leaves them so too, one whose store faults leaves TOP 0, one whose
// load faults leaves all as it was. Doing it again changes nothing.
#pragma once

#include <cstdint>

#include "vmm/hypervisor/soft/cpu/address.h"
#include "vmm/hypervisor/soft/cpu/cpu.h"
#include "vmm/hypervisor/soft/memory/access.h"
#include "vmm/hypervisor/soft/operations/x87_pending.h"

namespace qm::soft {

inline std::uint64_t mm(const Cpu& cpu, std::uint8_t number) {
  std::uint64_t value;
  __builtin_memcpy(&value, cpu.x87.physical[number].bytes.data(), sizeof value);
  return value;
}

// As a number of x87, what is written is no number: sign and exponent are all ones.
inline void setMm(Cpu& cpu, std::uint8_t number, std::uint64_t value) {
  ExtendedReal& real = cpu.x87.physical[number];
  __builtin_memcpy(real.bytes.data(), &value, sizeof value);
  real.bytes[8] = real.bytes[9] = std::byte{0xff};
}

inline void clearTop(Cpu& cpu) {
  constexpr std::uint16_t kTop = 7U << 11U;
  cpu.x87.status &= static_cast<std::uint16_t>(~kTop);
}
inline void enterMmx(Cpu& cpu) {
  clearTop(cpu);
  cpu.x87.occupied = 0xff;
}

// ---- sources

struct FromMm {
  static bool read(Cpu& cpu, const Operation& op, std::uint64_t& value) {
    value = mm(cpu, op.from);
    return true;
  }
};

template <class T>
struct FromGeneral {
  static bool read(Cpu& cpu, const Operation& op, std::uint64_t& value) {
    value = reg<T>(cpu, op.from);
    return true;
  }
};

template <class T>
struct FromMemory {
  static bool read(Cpu& cpu, const Operation& op, std::uint64_t& value) {
    std::uint64_t address = 0;
    T narrow = 0;
    if (!effectiveAddress<Form::any>(cpu, op, address) || !load(cpu, address, narrow)) return false;
    value = narrow;
    return true;
  }
};

// The immediate byte, which is in `third`: `immediate` may be a part of an address.
struct FromImmediate {
  static bool read(Cpu& /*cpu*/, const Operation& op, std::uint64_t& value) {
    value = op.third;
    return true;
  }
};

// ---- destinations

struct ToMm {
  static bool write(Cpu& cpu, const Operation& op, std::uint64_t value) {
    setMm(cpu, op.to, value);
    return true;
  }
};

template <class T>
struct ToGeneral {
  static bool write(Cpu& cpu, const Operation& op, std::uint64_t value) {
    setReg(cpu, op.to, static_cast<T>(value));
    return true;
  }
};

template <class T>
struct ToMemory {
  static bool write(Cpu& cpu, const Operation& op, std::uint64_t value) {
    std::uint64_t address = 0;
    return effectiveAddress<Form::any>(cpu, op, address) && store(cpu, address, static_cast<T>(value));
  }
};

}  // namespace qm::soft
