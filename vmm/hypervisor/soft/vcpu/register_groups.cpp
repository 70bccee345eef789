#include "vmm/hypervisor/soft/vcpu/register_groups.h"

#include <fmt/format.h>

#include "vmm/hypervisor/soft/chips/interrupt_fabric.h"
#include "vmm/hypervisor/soft/memory/tlb_flush.h"

namespace qm::soft {

Registers saveRegisters(const Cpu& cpu) {
  const auto& r = cpu.gpr;
  return {.rax = r[0],
          .rbx = r[3],
          .rcx = r[1],
          .rdx = r[2],
          .rsi = r[6],
          .rdi = r[7],
          .rsp = r[4],
          .rbp = r[5],
          .r8 = r[8],
          .r9 = r[9],
          .r10 = r[10],
          .r11 = r[11],
          .r12 = r[12],
          .r13 = r[13],
          .r14 = r[14],
          .r15 = r[15],
          .rip = cpu.rip,
          .rflags = wholeRflags(cpu, cpu.flags)};
}

void loadRegisters(Cpu& cpu, const Registers& registers) {
  const Registers& r = registers;
  cpu.gpr = {r.rax, r.rcx, r.rdx, r.rbx, r.rsp, r.rbp, r.rsi, r.rdi, r.r8,
             r.r9,  r.r10, r.r11, r.r12, r.r13, r.r14, r.r15, 0,     0};
  cpu.rip = r.rip;
  cpu.flags = statusFromRflags(r.rflags);
  cpu.rflags = (r.rflags & ~rflags::kStatus) | rflags::kFixed;
  modeChanged(cpu);
}

SystemRegisters saveSystem(const Cpu& cpu) {
  const SystemState& system = cpu.system;
  const auto segment = [&](SegmentName name) { return system.segments[static_cast<std::size_t>(name)]; };
  return {.cs = segment(SegmentName::cs),
          .ds = segment(SegmentName::ds),
          .es = segment(SegmentName::es),
          .fs = segment(SegmentName::fs),
          .gs = segment(SegmentName::gs),
          .ss = segment(SegmentName::ss),
          .tr = system.tr,
          .ldt = system.ldt,
          .gdt = system.gdt,
          .idt = system.idt,
          .cr0 = system.cr0,
          .cr2 = system.cr2,
          .cr3 = system.cr3,
          .cr4 = system.cr4,
          .cr8 = cpu.around.chips.cr8(cpu.around.index),
          .efer = system.efer,
          .apicBase = cpu.around.chips.apicBase(cpu.around.index)};
}

Status loadSystem(Cpu& cpu, const SystemRegisters& from) {
  const bool pages = (from.cr0 & cr0::kPg) != 0, isLong = (from.efer & efer::kLma) != 0;
  if (pages != isLong)
    return Error(
        Remedy::fixInput,
        fmt::format("the CPU in software has paging in long mode only (CR0 {:#x}, EFER {:#x})", from.cr0, from.efer));
  InterruptFabric& chips = cpu.around.chips;
  if (!chips.loadApicBase(cpu.around.index, from.apicBase))
    return Error(Remedy::fixInput, fmt::format("IA32_APIC_BASE cannot be {:#x}", from.apicBase));
  SystemState& system = cpu.system;
  // In the order of SegmentName.
  system.segments = {from.es, from.cs, from.ss, from.ds, from.fs, from.gs};
  system.tr = from.tr;
  system.ldt = from.ldt;
  system.gdt = from.gdt;
  system.idt = from.idt;
  system.cr0 = from.cr0;
  system.cr2 = from.cr2;
  system.cr3 = from.cr3;
  system.cr4 = from.cr4;
  system.efer = from.efer;
  chips.setCr8(cpu.around.index, static_cast<std::uint8_t>(from.cr8 & 0xfU));
  flushAll(cpu);
  modeChanged(cpu);
  return {};
}

}  // namespace qm::soft
