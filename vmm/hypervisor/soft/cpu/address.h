// The effective address of an operation's memory operand (SDM 1, 3.7.5), by its form.
#pragma once

#include <cstdint>

#include "vmm/hypervisor/soft/cpu/cpu.h"
#include "vmm/hypervisor/soft/cpu/form.h"

namespace qm::soft {

// 16- and 32-bit addresses, segments with bases and limits, and 64-bit displacements. False: a limit or a null segment
// raised.
bool legacyAddress(Cpu& cpu, const Operation& op, std::uint64_t& address);

template <Form form>
inline bool effectiveAddress(Cpu& cpu, const Operation& op, std::uint64_t& address) {
  const auto displacement = static_cast<std::uint64_t>(static_cast<std::int64_t>(op.displacement));
  if constexpr (form == Form::any) {
    if (op.addressing >= Addressing::wide) [[unlikely]]
      return legacyAddress(cpu, op, address);
  }
  address = cpu.gpr[op.base] + displacement;
  if constexpr (form != Form::base) address += cpu.gpr[op.index] << op.scale;
  if constexpr (form == Form::any) address += cpu.segmentBase[static_cast<std::size_t>(op.segment)];
  return true;
}

}  // namespace qm::soft
