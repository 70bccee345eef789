#include "vmm/hypervisor/soft/system/reset.h"

#include "vmm/hypervisor/soft/memory/tlb_flush.h"

namespace qm::soft {

namespace {

Segment realModeData() {
  return {.limit = 0xffff, .type = 0x3, .s = true, .present = true};
}

}  // namespace

void resetCpu(Cpu& cpu, ResetKind kind) {
  SystemState& system = cpu.system;
  cpu.gpr = {};
  cpu.gpr[2] = 0x600;  // rdx: the family, as processors have told it
  cpu.rip = 0xfff0;
  cpu.rflags = rflags::kFixed;
  cpu.flags = 0;
  cpu.shadowRip = ~std::uint64_t{0};
  system.segments.fill(realModeData());
  system.segments[static_cast<std::size_t>(SegmentName::cs)] = {
      .base = 0xffff'0000, .limit = 0xffff, .selector = 0xf000, .type = 0xb, .s = true, .present = true};
  system.tr = {.limit = 0xffff, .type = 0xb, .present = true};
  system.ldt = {.limit = 0xffff, .type = 0x2, .present = true};
  system.gdt = system.idt = {.base = 0, .limit = 0xffff};
  constexpr std::uint64_t kCacheBits = cr0::kCd | cr0::kNw;
  system.cr0 = cr0::kEt | (kind == ResetKind::powerUp ? kCacheBits : system.cr0 & kCacheBits);
  system.cr2 = system.cr3 = system.cr4 = 0;
  system.efer = 0;
  system.debug = {};
  system.nmiMasked = false;
  if (kind == ResetKind::powerUp) {
    cpu.ymm = {};
    cpu.mxcsr = 0x1f80;
    cpu.simdUnmasked = false;
    cpu.x87 = {};
    system.xcr0 = 1;
  }
  flushAll(cpu);
  modeChanged(cpu);
}

void startUp(Cpu& cpu, std::uint8_t vector) {
  Segment& cs = cpu.system.segments[static_cast<std::size_t>(SegmentName::cs)];
  cs.selector = static_cast<std::uint16_t>(vector << 8U);
  cs.base = std::uint64_t{vector} << 12U;
  cpu.rip = 0;
  flushAll(cpu);
  modeChanged(cpu);
}

}  // namespace qm::soft
