#include "vmm/hypervisor/soft/memory/tlb_flush.h"

namespace qm::soft {

void flushAll(Cpu& cpu) {
  for (Tlb& tlb : cpu.tlbs) tlb.flush();
  for (CodeTlb& tlb : cpu.codeTlbs) tlb.flush();
  for (JumpCache& jumps : cpu.jumpCaches) jumps.forget();
}

void flushNonGlobal(Cpu& cpu) {
  for (Tlb& tlb : cpu.tlbs) tlb.flushNonGlobal();
  for (CodeTlb& tlb : cpu.codeTlbs) tlb.flushNonGlobal();
  for (JumpCache& jumps : cpu.jumpCaches) jumps.forgetNonGlobal();
}

void flushPage(Cpu& cpu, std::uint64_t address) {
  for (Tlb& tlb : cpu.tlbs) tlb.flushPage(address);
  for (CodeTlb& tlb : cpu.codeTlbs) tlb.flushPage(address);
  for (JumpCache& jumps : cpu.jumpCaches) jumps.forgetPage(address);
}

}  // namespace qm::soft
