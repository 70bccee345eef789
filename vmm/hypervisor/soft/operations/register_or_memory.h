// Operands that are a register or memory (ModRM's r/m), for families whose instructions are not the hottest: one body
// is written over where the operand is, and has two handlers.
#pragma once

#include <cstdint>

#include "vmm/hypervisor/soft/cpu/address.h"
#include "vmm/hypervisor/soft/cpu/cpu.h"
#include "vmm/hypervisor/soft/decode/emitter.h"
#include "vmm/hypervisor/soft/memory/access.h"

namespace qm::soft {

// The register is Operation::from for a source and Operation::to for a destination.
struct InRegister {
  template <class T>
  static bool read(Cpu& cpu, const Operation& op, T& value) {
    value = reg<T>(cpu, op.from);
    return true;
  }
  // `apply` gives the new value and may change the flags.
  template <class T, class Apply>
  static bool change(Cpu& cpu, const Operation& op, Flags& flags, Apply&& apply) {
    setReg<T>(cpu, op.to, apply(reg<T>(cpu, op.to), flags));
    return true;
  }
};

struct InMemory {
  template <class T>
  static bool read(Cpu& cpu, const Operation& op, T& value) {
    std::uint64_t address = 0;
    return effectiveAddress<Form::any>(cpu, op, address) && load(cpu, address, value);
  }
  template <class T, class Apply>
  static bool change(Cpu& cpu, const Operation& op, Flags& flags, Apply&& apply) {
    std::uint64_t address = 0;
    T value;
    if (!effectiveAddress<Form::any>(cpu, op, address) || !loadForWrite(cpu, address, value)) return false;
    Flags after = flags;
    if (!store<T>(cpu, address, apply(value, after))) return false;
    flags = after;
    return true;
  }
};

// As bySize(), for instructions that have no form for bytes.
template <template <class> class Body>
constexpr SizeTable byWordSize() {
  return {nullptr, &step<&Body<std::uint16_t>::run>, &step<&Body<std::uint32_t>::run>,
          &step<&Body<std::uint64_t>::run>};
}
// Those with forms for 4 and 8 bytes only.
template <template <class> class Body>
constexpr SizeTable byWideSize() {
  return {nullptr, nullptr, &step<&Body<std::uint32_t>::run>, &step<&Body<std::uint64_t>::run>};
}

// Adds the operation for a source or a destination that is a register or memory.
inline Operation& addWithSource(Emitter& emitter, const Operand& source, Handler whenRegister, Handler whenMemory) {
  Operation& op = emitter.add(isMemory(source) ? whenMemory : whenRegister);
  if (isMemory(source)) {
    emitter.setAddress(op, source);
  } else {
    op.from = registerPlace(source.reg.value);
  }
  return op;
}
inline Operation& addWithDestination(Emitter& emitter, const Operand& to, Handler whenRegister, Handler whenMemory) {
  Operation& op = emitter.add(isMemory(to) ? whenMemory : whenRegister);
  if (isMemory(to)) {
    emitter.setAddress(op, to);
  } else {
    op.to = registerPlace(to.reg.value);
  }
  return op;
}

}  // namespace qm::soft
