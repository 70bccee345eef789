#include "vmm/hypervisor/soft/cpu/address.h"

namespace qm::soft {

namespace {

// Of 64-bit mode with a 32-bit address size, a displacement of 64 bits, or one that overflows from the block's start.
std::uint64_t flatAddress(const Cpu& cpu, const Operation& op) {
  const auto displacement = op.addressing == Addressing::wide
                                ? op.immediate
                                : static_cast<std::uint64_t>(static_cast<std::int64_t>(op.displacement));
  std::uint64_t address = cpu.gpr[op.base] + (cpu.gpr[op.index] << op.scale) + displacement;
  if (op.addressing == Addressing::farRip) address += std::uint64_t{op.offset} + op.length;
  if (op.addressBytes == 4) address &= 0xffff'ffff;
  return address + cpu.segmentBase[static_cast<std::size_t>(op.segment)];
}

// SDM 3A, 5.3: beyond the limit is beyond the segment, whose fault is #SS for the stack's. Only the first byte is
// checked: no code of ours that runs outside 64-bit mode relies on a limit.
bool isWithin(const Segment& segment, std::uint64_t offset) {
  const bool expandsDown = segment.s && (segment.type & 0xcU) == 0x4;
  if (!expandsDown) return offset <= segment.limit;
  return offset > segment.limit && offset <= (segment.db ? 0xffff'ffffU : 0xffffU);
}

}  // namespace

bool legacyAddress(Cpu& cpu, const Operation& op, std::uint64_t& address) {
  if (cpu.system.codeSize == CodeSize::bits64) {
    address = flatAddress(cpu, op);
    return true;
  }
  const std::uint64_t mask = op.addressBytes == 2 ? 0xffff : 0xffff'ffff;
  const std::uint64_t offset = (cpu.gpr[op.base] + (cpu.gpr[op.index] << op.scale) +
                                static_cast<std::uint64_t>(static_cast<std::int64_t>(op.displacement))) &
                               mask;
  const Segment& segment = cpu.system.segments[static_cast<std::size_t>(op.segment)];
  const bool isStack = op.segment == SegmentName::ss;
  if (segment.unusable || !isWithin(segment, offset))
    return raise(cpu, isStack ? Exception::stackFault : Exception::generalProtection);
  address = (segment.base + offset) & 0xffff'ffff;
  return true;
}

}  // namespace qm::soft
