#include "vmm/hypervisor/kvm/convert_registers.h"

namespace qm::kvm {

namespace {

Segment fromKvm(const kvm_segment& from) {
  return {.base = from.base,
          .limit = from.limit,
          .selector = from.selector,
          .type = from.type,
          .dpl = from.dpl,
          .s = from.s != 0,
          .present = from.present != 0,
          .avl = from.avl != 0,
          .l = from.l != 0,
          .db = from.db != 0,
          .g = from.g != 0,
          .unusable = from.unusable != 0};
}

kvm_segment toKvm(const Segment& from) {
  kvm_segment to{};
  to.base = from.base;
  to.limit = from.limit;
  to.selector = from.selector;
  to.type = from.type;
  to.dpl = from.dpl;
  to.s = from.s;
  to.present = from.present;
  to.avl = from.avl;
  to.l = from.l;
  to.db = from.db;
  to.g = from.g;
  to.unusable = from.unusable;
  return to;
}

DescriptorTable fromKvm(const kvm_dtable& from) {
  return {.base = from.base, .limit = from.limit};
}

kvm_dtable toKvm(const DescriptorTable& from) {
  kvm_dtable to{};
  to.base = from.base;
  to.limit = from.limit;
  return to;
}

}  // namespace

Registers fromKvm(const kvm_regs& from) {
  return {.rax = from.rax,
          .rbx = from.rbx,
          .rcx = from.rcx,
          .rdx = from.rdx,
          .rsi = from.rsi,
          .rdi = from.rdi,
          .rsp = from.rsp,
          .rbp = from.rbp,
          .r8 = from.r8,
          .r9 = from.r9,
          .r10 = from.r10,
          .r11 = from.r11,
          .r12 = from.r12,
          .r13 = from.r13,
          .r14 = from.r14,
          .r15 = from.r15,
          .rip = from.rip,
          .rflags = from.rflags};
}

kvm_regs toKvm(const Registers& from) {
  return {.rax = from.rax,
          .rbx = from.rbx,
          .rcx = from.rcx,
          .rdx = from.rdx,
          .rsi = from.rsi,
          .rdi = from.rdi,
          .rsp = from.rsp,
          .rbp = from.rbp,
          .r8 = from.r8,
          .r9 = from.r9,
          .r10 = from.r10,
          .r11 = from.r11,
          .r12 = from.r12,
          .r13 = from.r13,
          .r14 = from.r14,
          .r15 = from.r15,
          .rip = from.rip,
          .rflags = from.rflags};
}

SystemRegisters fromKvm(const kvm_sregs& from) {
  return {.cs = fromKvm(from.cs),
          .ds = fromKvm(from.ds),
          .es = fromKvm(from.es),
          .fs = fromKvm(from.fs),
          .gs = fromKvm(from.gs),
          .ss = fromKvm(from.ss),
          .tr = fromKvm(from.tr),
          .ldt = fromKvm(from.ldt),
          .gdt = fromKvm(from.gdt),
          .idt = fromKvm(from.idt),
          .cr0 = from.cr0,
          .cr2 = from.cr2,
          .cr3 = from.cr3,
          .cr4 = from.cr4,
          .cr8 = from.cr8,
          .efer = from.efer,
          .apicBase = from.apic_base};
}

kvm_sregs toKvm(const SystemRegisters& from) {
  kvm_sregs to{};
  to.cs = toKvm(from.cs);
  to.ds = toKvm(from.ds);
  to.es = toKvm(from.es);
  to.fs = toKvm(from.fs);
  to.gs = toKvm(from.gs);
  to.ss = toKvm(from.ss);
  to.tr = toKvm(from.tr);
  to.ldt = toKvm(from.ldt);
  to.gdt = toKvm(from.gdt);
  to.idt = toKvm(from.idt);
  to.cr0 = from.cr0;
  to.cr2 = from.cr2;
  to.cr3 = from.cr3;
  to.cr4 = from.cr4;
  to.cr8 = from.cr8;
  to.efer = from.efer;
  to.apic_base = from.apicBase;
  return to;
}

DebugRegisters fromKvm(const kvm_debugregs& from) {
  return {.db = {from.db[0], from.db[1], from.db[2], from.db[3]}, .dr6 = from.dr6, .dr7 = from.dr7};
}

kvm_debugregs toKvm(const DebugRegisters& from) {
  kvm_debugregs to{};
  for (std::size_t i = 0; i < from.db.size(); ++i) to.db[i] = from.db[i];
  to.dr6 = from.dr6;
  to.dr7 = from.dr7;
  return to;
}

}  // namespace qm::kvm
