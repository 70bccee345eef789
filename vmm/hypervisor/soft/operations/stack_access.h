// The stack as 64-bit mode has it, and as the modes before it do (SDM 1, 6.2).
#pragma once

#include <cstdint>

#include "vmm/hypervisor/soft/cpu/cpu.h"
#include "vmm/hypervisor/soft/memory/access.h"

namespace qm::soft {

inline constexpr std::size_t kRsp = 4, kRbp = 5;

// 64-bit mode. False: stopped, and rsp is as it was.
template <class T>
inline bool push(Cpu& cpu, T value) {
  const std::uint64_t address = cpu.gpr[kRsp] - sizeof(T);
  if (!store(cpu, address, value)) return false;
  cpu.gpr[kRsp] = address;
  return true;
}

template <class T>
inline bool pop(Cpu& cpu, T& value) {
  if (!load(cpu, cpu.gpr[kRsp], value)) return false;
  cpu.gpr[kRsp] += sizeof(T);
  return true;
}

// Any mode: `bytes` is the operand's size (2, 4, 8); the stack pointer is as wide as SS says. False: stopped, nothing
// changed.
bool legacyPush(Cpu& cpu, std::uint64_t value, unsigned bytes);
bool legacyPop(Cpu& cpu, std::uint64_t& value, unsigned bytes);
// Adds to the stack pointer.
void releaseStack(Cpu& cpu, std::uint64_t bytes);

}  // namespace qm::soft
