#include "vmm/hypervisor/soft/memory/watched_access.h"

#include "vmm/hypervisor/soft/cpu/debug.h"

namespace qm::soft {

namespace {

// SDM 3A, table 6-7. Wider ones than these have checks of their own, or may go without (SDM 2B, MOVUPS).
std::uint64_t alignmentOf(unsigned bytes) {
  switch (bytes) {
    case 2:
    case 4:
    case 8:
      return bytes;
    case 6:
      return 4;  // a far pointer
    case 10:
      return 8;  // an extended real
    default:
      return 1;
  }
}

bool checksAlignment(const Cpu& cpu) {
  return isUser(cpu) && (cpu.system.cr0 & cr0::kAm) != 0 && (cpu.rflags & rflags::kAc) != 0;
}

// Faults of the address itself and of its pages come first (SDM 3A, table 6-2).
bool isReachable(Cpu& cpu, std::uint64_t address, unsigned bytes, Use use) {
  const std::uint64_t last = address + bytes - 1;
  if (!isCanonical(address) || !isCanonical(last)) return false;
  if (!translate(cpu, address, use, cpu.privilege)) return false;
  return ((address ^ last) & kPageMask) == 0 || translate(cpu, last, use, cpu.privilege).has_value();
}

}  // namespace

bool isWatchedAccessAllowed(Cpu& cpu, std::uint64_t address, unsigned bytes, Use use) {
  const bool isAligned = (address & (alignmentOf(bytes) - 1)) == 0;
  if (!isAligned && checksAlignment(cpu) && isReachable(cpu, address, bytes, use))
    return raise(cpu, Exception::alignmentCheck);
  if ((cpu.system.debug.dr7 & dr7::kEnables) == 0) return true;
  const std::uint64_t hits = dataBreakpointsAt(cpu.system.debug, address, bytes, use);
  if (hits == 0) return true;
  if (!cpu.stepping) return askToBeAlone(cpu);
  noteDataBreakpoints(cpu, hits);
  return true;
}

}  // namespace qm::soft
