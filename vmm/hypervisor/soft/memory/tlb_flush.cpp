#include "vmm/hypervisor/soft/memory/tlb_flush.h"

namespace qm::soft {

namespace {

void forgetJumps(Cpu& cpu) {
  for (JumpCache& jumps : cpu.jumpCaches) jumps.forget();
}

}  // namespace

void flushAll(Cpu& cpu) {
  for (Tlb& tlb : cpu.tlbs) tlb.flush();
  for (CodeTlb& tlb : cpu.codeTlbs) tlb.flush();
  forgetJumps(cpu);
}

void flushNonGlobal(Cpu& cpu) {
  for (Tlb& tlb : cpu.tlbs) tlb.flushNonGlobal();
  for (CodeTlb& tlb : cpu.codeTlbs) tlb.flushNonGlobal();
  forgetJumps(cpu);
}

void flushPage(Cpu& cpu, std::uint64_t address) {
  for (Tlb& tlb : cpu.tlbs) tlb.flushPage(address);
  for (CodeTlb& tlb : cpu.codeTlbs) tlb.flushPage(address);
  forgetJumps(cpu);
}

}  // namespace qm::soft
