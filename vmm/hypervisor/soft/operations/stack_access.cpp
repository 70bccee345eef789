#include "vmm/hypervisor/soft/operations/stack_access.h"

namespace qm::soft {

namespace {

const Segment& stackSegment(const Cpu& cpu) {
  return cpu.system.segments[static_cast<std::size_t>(SegmentName::ss)];
}

std::uint64_t stackMask(const Cpu& cpu) {
  if (cpu.system.codeSize == CodeSize::bits64) return ~std::uint64_t{0};
  return stackSegment(cpu).db ? 0xffff'ffff : 0xffff;
}

std::uint64_t linearOf(const Cpu& cpu, std::uint64_t offset) {
  if (cpu.system.codeSize == CodeSize::bits64) return offset;
  return (stackSegment(cpu).base + offset) & 0xffff'ffff;
}

// The bits of rsp that the stack's width leaves alone stay.
void setStackPointer(Cpu& cpu, std::uint64_t offset) {
  const std::uint64_t mask = stackMask(cpu);
  cpu.gpr[kRsp] = (cpu.gpr[kRsp] & ~mask) | (offset & mask);
}

}  // namespace

bool legacyPush(Cpu& cpu, std::uint64_t value, unsigned bytes) {
  const std::uint64_t offset = (cpu.gpr[kRsp] - bytes) & stackMask(cpu);
  if (!writeLongWay(cpu, linearOf(cpu, offset), &value, bytes)) return false;
  setStackPointer(cpu, offset);
  return true;
}

bool legacyPop(Cpu& cpu, std::uint64_t& value, unsigned bytes) {
  const std::uint64_t offset = cpu.gpr[kRsp] & stackMask(cpu);
  value = 0;
  if (!readLongWay(cpu, linearOf(cpu, offset), &value, bytes, Intent::read)) return false;
  setStackPointer(cpu, offset + bytes);
  return true;
}

void releaseStack(Cpu& cpu, std::uint64_t bytes) {
  setStackPointer(cpu, cpu.gpr[kRsp] + bytes);
}

}  // namespace qm::soft
