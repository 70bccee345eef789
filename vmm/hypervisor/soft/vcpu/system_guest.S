// A guest that checks the system instructions by using them: system_test.cpp runs it, one part a test.
//
// It begins in real mode, at 0x8000 (CS 0x800), and goes by 32-bit protected mode to 64-bit mode, as a processor does
// that was started by another. RBX is the number of the part to run. What it finds it writes to port 0x10, 4 bytes at a
// time; a write to port 0x11 ends it. An exception reports 0xee00 + vector, then its error code (0 where there is none),
// and goes on in the kernel, at the address in R15. INT 0x80 from user code goes on at the address in R14.
//
// The host maps the first 2 MiB to themselves; pages from user_pages to user_pages_end belong to user code.

#define ORIGIN 0x8000
#define AT(label) (label - system_guest + ORIGIN)
#define STACK 0x7000       /* of the kernel, below the guest */
#define ENTRY_STACK 0x6000 /* where user code is left to */
#define PAGE_TABLES 0x40000
#define SPARE_PAGE 0x60000 /* for `translations`, with the next */
#define SPARE_ENTRY 0x43300 /* of the page table, for that page */

#define KERNEL_CODE 0x08
#define KERNEL_DATA 0x10
#define FLAT_CODE_32 0x18
#define USER_CODE_32 0x20 /* STAR's order: 32-bit code, data, 64-bit code */
#define USER_DATA 0x28
#define USER_CODE 0x30
#define TASK 0x38
#define UNTOUCHED_DATA 0x48 /* its accessed bit is clear */
#define ABSENT_DATA 0x50
#define CONFORMING_CODE 0x58
#define READ_ONLY_DATA 0x60

  .macro report_eax
  out %eax, $0x10
  .endm
  .macro report value
  mov \value, %eax
  out %eax, $0x10
  .endm
  .macro finish
  out %eax, $0x11
  .endm
  // Where an exception goes on.
  .macro resume label
  lea \label(%rip), %r15
  .endm
  // To user code, which goes on at `then` by INT 0x80 or by an exception.
  .macro visit_user code, then, flags=2
  lea \then(%rip), %r14
  mov %r14, %r15
  pushq $(USER_DATA | 3)
  lea user_stack(%rip), %rax
  push %rax
  pushq $\flags
  pushq $(USER_CODE | 3)
  lea \code(%rip), %rax
  push %rax
  iretq
  .endm

  .section .rodata.system_guest, "a"
  .balign 4096
  .globl system_guest
system_guest:

// ---- real mode

  .code16
  cli
  mov %cs, %ax
  mov %ax, %ds
  mov $0x600, %ax
  mov %ax, %ss
  mov $0x1000, %sp
  lcall $0x800, $(real_call - system_guest)
  lgdtl gdt_pointer - system_guest
  lidtl idt_pointer - system_guest
  mov %cr0, %eax
  or $1, %eax
  mov %eax, %cr0
  ljmpl $FLAT_CODE_32, $AT(protected)
real_call:
  lret

// ---- protected mode, 32 bits

  .code32
protected:
  mov $KERNEL_DATA, %ax
  mov %ax, %ds
  mov %ax, %es
  mov %ax, %ss
  mov $STACK, %esp
  lcall $FLAT_CODE_32, $AT(protected_call)
  pushfl
  pushl $FLAT_CODE_32
  pushl $AT(after_iret)
  iret
protected_call:
  lret
after_iret:
  mov %cr4, %eax
  or $0x20, %eax
  mov %eax, %cr4
  mov $PAGE_TABLES, %eax
  mov %eax, %cr3
  mov $0xc0000080, %ecx
  rdmsr
  or $0x901, %eax // SCE, LME, NXE
  wrmsr
  mov %cr0, %eax
  or $0x80010000, %eax // PG, WP
  mov %eax, %cr0
  ljmp $KERNEL_CODE, $AT(long_mode)

// ---- 64-bit mode

  .code64
long_mode:
  xor %eax, %eax
  mov %eax, %ds
  mov %eax, %es
  mov %eax, %ss
  mov $STACK, %rsp
  call make_gates
  lea task(%rip), %rax
  mov %ax, gdt+TASK+2(%rip)
  shr $16, %rax
  mov %al, gdt+TASK+4(%rip)
  mov $TASK, %eax
  ltr %ax
  mov %cr4, %rax
  or $0x110e80, %eax // SMEP, FSGSBASE, UMIP, OSXMMEXCPT, OSFXSR, PGE
  mov %rax, %cr4
  lea parts(%rip), %rdx
  movslq (%rdx, %rbx, 4), %rax
  add %rdx, %rax
  jmp *%rax

// Interrupt gates for the exceptions, and one for user code at 0x80.
make_gates:
  lea stubs(%rip), %rsi
  lea idt(%rip), %rdi
  mov $32, %ecx
1:
  call make_gate
  add $16, %rsi
  add $16, %rdi
  loop 1b
  lea from_user(%rip), %rsi
  lea idt+0x80*16(%rip), %rdi
  call make_gate
  movb $0xee, 5(%rdi) // DPL 3
  ret
make_gate: // RSI: the handler, below 64 KiB; RDI: the gate
  mov %si, (%rdi)
  movw $KERNEL_CODE, 2(%rdi)
  movw $0x8e00, 4(%rdi)
  ret

  .balign 16
stubs:
  .altmacro
  .macro stub vector
  .balign 16
  .if (\vector == 8) || ((\vector >= 10) && (\vector <= 14)) || (\vector == 17)
  .else
  pushq $0
  .endif
  pushq $(0xee00 + \vector)
  jmp caught
  .endm
  .set number, 0
  .rept 32
  stub %number
  .set number, number + 1
  .endr
  .noaltmacro

caught:
  pop %rax
  report_eax
  pop %rax
  report_eax
  mov $STACK, %rsp
  jmp *%r15
from_user:
  jmp *%r14

  .balign 4
parts:
  .long modes - parts
  .long segment_loads - parts
  .long closed_segments - parts
  .long questions - parts
  .long system_calls - parts
  .long fast_system_calls - parts
  .long faults_of_users - parts
  .long time_of_users - parts
  .long ports_of_users - parts
  .long user_page_guard - parts
  .long control_registers - parts
  .long pcids - parts
  .long debug_registers - parts
  .long far_returns - parts
  .long interrupt_returns - parts
  .long bases - parts
  .long translations - parts
  .long compatibility_mode - parts
  .long software_interrupts - parts
  .long interrupt_shadow - parts
  .long exits_to_32_bits - parts
  .long single_steps - parts

// CS, CR0, EFER; then what STR and SMSW say, and whether the task is busy in the table.
modes:
  mov %cs, %eax
  report_eax
  mov %cr0, %rax
  report_eax
  mov $0xc0000080, %ecx
  rdmsr
  report_eax
  xor %eax, %eax
  str %eax
  report_eax
  smsw %eax
  report_eax
  movzbl gdt+TASK+5(%rip), %eax
  report_eax
  finish

// Each either reports the register, or faults.
segment_loads:
  .macro try_segment selector, register, after
  resume 9f
  mov $\selector, %eax
  mov %eax, %\register
  mov %\register, %eax
  report_eax
9:
  .endm
  try_segment UNTOUCHED_DATA, ds
  movzbl gdt+UNTOUCHED_DATA+5(%rip), %eax
  report_eax
  try_segment ABSENT_DATA, ds
  try_segment 0x1000, ds
  try_segment READ_ONLY_DATA, ds
  try_segment CONFORMING_CODE, es
  try_segment USER_DATA | 3, es
  try_segment TASK, es
  try_segment 0x0c, fs // of an LDT that there is not
  try_segment READ_ONLY_DATA, ss
  try_segment USER_DATA | 3, ss
  try_segment ABSENT_DATA, ss
  try_segment 1, ss // null, but not for CPL 0
  try_segment 0, ss
  try_segment KERNEL_DATA, ss
  // By POP and by LSS.
  pushq $(USER_DATA | 3)
  popq %fs
  mov %fs, %eax
  report_eax
  sub $16, %rsp
  mov %rsp, (%rsp)
  movw $KERNEL_DATA, 8(%rsp)
  mov %rsp, %rcx
  xor %eax, %eax
  mov %eax, %ss
  lss (%rsp), %rsp
  mov %ss, %eax
  report_eax
  sub %rsp, %rcx
  report %ecx
  // A task that is busy, and an LDT that is null.
  resume 1f
  mov $TASK, %eax
  ltr %ax
1:
  xor %eax, %eax
  lldt %ax
  mov $0x5555, %eax
  sldt %eax
  report_eax
  finish

// What a return to user code leaves of the kernel's segments: DS is closed to it, ES is not, FS is null and has a base.
closed_segments:
  mov $KERNEL_DATA, %eax
  mov %eax, %ds
  mov $(USER_DATA | 3), %eax
  mov %eax, %es
  xor %eax, %eax
  mov %eax, %fs
  mov $0x1234, %eax
  wrfsbase %rax
  visit_user user_segments, 1f
1:
  report %r8d
  report %r9d
  report %r10d
  report %r11d
  finish

// LAR, LSL, VERR and VERW of user code: the answer where ZF is set, 0xf where not.
questions:
  visit_user user_questions, 1f
1:
  report %r8d
  report %r9d
  report %r10d
  report %r11d
  report %ebx
  finish

// SYSCALL's registers and flags in the kernel; then SYSRET's in user code.
system_calls:
  mov $0xc0000081, %ecx // STAR
  xor %eax, %eax
  mov $(USER_CODE_32 << 16 | KERNEL_CODE), %edx
  wrmsr
  mov $0xc0000082, %ecx // LSTAR
  lea 1f(%rip), %rax
  xor %edx, %edx
  wrmsr
  mov $0xc0000084, %ecx // FMASK: DF, CF
  mov $0x401, %eax
  wrmsr
  visit_user user_system_call, 2f
1:
  pushfq
  pop %rdx
  lea user_system_call_end(%rip), %rax
  sub %rcx, %rax
  report_eax // 0
  report %r11d
  report %edx
  mov %cs, %eax
  report_eax
  mov %ss, %eax
  report_eax
  // An address that is not canonical faults here, not there.
  mov %rcx, %rdi
  resume 3f
  mov $0x8000000000000000, %rcx
  sysretq
3:
  mov %rdi, %rcx
  mov $0x1ad7, %r11d // with IOPL 1, IF, CF to OF
  xor %edi, %edi
  lea 2f(%rip), %r15
  sysretq
2:
  report 24(%rsp) // user RSP: unharmed
  mov 8(%rsp), %eax
  report_eax // CS
  mov 32(%rsp), %eax
  report_eax // SS
  mov 16(%rsp), %eax
  report_eax // RFLAGS
  // Without SCE there are none.
  mov $0xc0000080, %ecx
  rdmsr
  and $~1, %eax
  wrmsr
  resume 4f
  syscall
4:
  finish

// SYSENTER from user code, SYSEXIT back.
fast_system_calls:
  resume 3f
  sysenter // without a code segment
3:
  xor %edx, %edx
  mov $0x174, %ecx
  mov $KERNEL_CODE, %eax
  wrmsr
  mov $0x175, %ecx
  mov $STACK - 0x100, %eax
  wrmsr
  mov $0x176, %ecx
  lea 1f(%rip), %rax
  wrmsr
  visit_user user_fast_call, 2f, 0x202
1:
  pushfq
  pop %rax
  report_eax
  report %esp
  mov %cs, %eax
  report_eax
  mov %ss, %eax
  report_eax
  lea user_stack(%rip), %rcx
  lea user_fast_call_end(%rip), %rdx
  sysexitq
2:
  mov 8(%rsp), %eax
  report_eax
  mov 32(%rsp), %eax
  report_eax
  lea user_stack(%rip), %rax
  sub 24(%rsp), %rax
  report_eax // 0
  finish

// What belongs to the kernel alone, one by one. RSP0 is written over by each fault.
faults_of_users:
  visit_user user_fault_0, 1f
1:
  visit_user user_fault_1, 1f
1:
  visit_user user_fault_2, 1f
1:
  visit_user user_fault_3, 1f
1:
  visit_user user_fault_4, 1f
1:
  visit_user user_fault_5, 1f
1:
  visit_user user_fault_6, 1f
1:
  visit_user user_fault_7, 1f
1:
  visit_user user_fault_8, 1f
1:
  visit_user user_fault_9, 1f
1:
  visit_user user_fault_10, 1f
1:
  visit_user user_fault_11, 1f
1:
  visit_user user_fault_12, 1f
1:
  visit_user user_fault_13, 1f
1:
  visit_user user_fault_14, 1f
1:
  visit_user user_fault_15, 1f
1:
  visit_user user_fault_16, 1f
1:
  visit_user user_fault_17, 1f
1:
  visit_user user_fault_18, 1f
1:
  visit_user user_fault_19, 1f
1:
  visit_user user_fault_20, 1f
1:
  visit_user user_fault_21, 1f
1:
  visit_user user_fault_22, 1f
1:
  visit_user user_fault_22a, 1f
1:
  visit_user user_fault_22b, 1f
1:
  visit_user user_fault_23, 1f
1:
  visit_user user_fault_24, 1f
1:
  visit_user user_fault_25, 1f
1:
  finish

// RDTSC is user code's until CR4.TSD; RDTSCP and RDPID tell TSC_AUX.
time_of_users:
  mov $0xc0000103, %ecx
  mov $0x77, %eax
  xor %edx, %edx
  wrmsr
  visit_user user_time, 1f
1:
  report %r8d
  report %r9d
  mov %cr4, %rax
  or $4, %rax
  mov %rax, %cr4
  visit_user user_time, 1f
1:
  finish

// Ports 0x10 to 0x13 are open to user code by the task's map. Port 0x12 in 4 bytes is not; nor is one beyond the map.
ports_of_users:
  visit_user user_report, 1f
1:
  visit_user user_out_0x12, 1f
1:
  visit_user user_out_far, 1f
1:
  // By IOPL all are.
  visit_user user_out_0x12, 1f, 0x3002
1:
  finish

// SMAP: data of user pages is open to the kernel under AC alone. SMEP: their code is not.
user_page_guard:
  mov user_value(%rip), %eax
  report_eax
  mov %cr4, %rax
  or $0x200000, %eax
  mov %rax, %cr4
  resume 1f
  report user_value(%rip)
1:
  stac
  report user_value(%rip)
  clac
  resume 1f
  report user_value(%rip)
1:
  pushq $0x40002
  popfq
  report user_value(%rip)
  pushq $2
  popfq
  resume 1f
  report user_value(%rip)
1:
  resume 1f
  lea user_report(%rip), %rax
  jmp *%rax
1:
  finish

// What control registers refuse, and what they keep.
control_registers:
  .macro try_control value, number
  resume 9f
  mov \value, %rax
  mov %rax, %cr\number
  mov %cr\number, %rax
  report_eax
9:
  .endm
  try_control $0x180010011, 0
  try_control $0x80010010, 0 // PG without PE
  try_control $0xa0010011, 0 // NW without CD
  try_control $0x00010011, 0 // 64-bit code without PG
  try_control $0x800500f1, 0 // reserved bits do not stay
  try_control $0x2020, 4 // VMXE: not offered
  try_control $0x0a80, 4 // without PAE
  try_control $0x0aa0, 4
  mov $(1 << 52 | PAGE_TABLES), %rcx
  try_control %rcx, 3
  try_control $(PAGE_TABLES + 0x18), 3
  try_control $0x1234567, 2
  try_control $0x10, 8
  try_control $5, 8
  try_control $0, 8
  resume 1f
  .byte 0x0f, 0x20, 0xe8 // mov %cr5, %rax
1:
  // LMSW sets PE to TS and does not clear PE; CLTS clears TS.
  mov $0x800a, %eax
  lmsw %ax
  smsw %eax
  report_eax
  resume 1f
  movaps %xmm0, %xmm0 // #NM
1:
  clts
  smsw %eax
  report_eax
  movaps %xmm0, %xmm0
  finish

// PCIDs are opened with PCID 0 alone; bit 63 of CR3 is not kept. INVPCID's types.
pcids:
  mov $(PAGE_TABLES + 1), %rax
  mov %rax, %cr3
  mov %cr4, %rcx
  or $0x20000, %ecx
  resume 1f
  mov %rcx, %cr4
1:
  mov $PAGE_TABLES, %eax
  mov %rax, %cr3
  mov %rcx, %cr4
  mov $(1 << 63 | PAGE_TABLES | 5), %rax
  mov %rax, %cr3
  mov %cr3, %rax
  report_eax
  shr $32, %rax
  report_eax
  lea pcid_of_5(%rip), %rdx
  .macro try_invpcid type, descriptor
  resume 9f
  mov $\type, %ecx
  invpcid \descriptor(%rip), %rcx
  report $0
9:
  .endm
  try_invpcid 0, pcid_of_5
  try_invpcid 1, pcid_of_5
  try_invpcid 2, pcid_of_5
  try_invpcid 3, pcid_of_5
  try_invpcid 4, pcid_of_5
  try_invpcid 0, pcid_not_canonical
  try_invpcid 2, pcid_reserved
  finish

// Fixed bits of DR6 and DR7; DR4 and DR5 by their old names, until CR4.DE; general detection.
debug_registers:
  xor %eax, %eax
  mov %rax, %dr6
  mov %dr6, %rax
  report_eax
  mov $0xffff23ff, %eax
  and $~0x2000, %eax // GD comes last
  mov %rax, %dr7
  mov %dr7, %rax
  report_eax
  mov $0x400, %eax
  mov %rax, %dr7
  mov $0xdeadbeef, %eax
  mov %rax, %dr3
  mov %dr3, %rax
  report_eax
  mov $1, %eax
  .byte 0x0f, 0x23, 0xe0 // mov %rax, %dr4
  mov %dr6, %rax
  report_eax
  resume 1f
  mov $(1 << 32), %rax
  mov %rax, %dr7
1:
  mov %cr4, %rax
  or $8, %eax
  mov %rax, %cr4
  resume 1f
  .byte 0x0f, 0x21, 0xe0 // mov %dr4, %rax
1:
  xor %eax, %eax
  mov %rax, %dr6
  mov $0x2400, %eax
  mov %rax, %dr7
  resume 1f
  mov %dr0, %rax
1:
  mov %dr6, %rax
  report_eax
  mov %dr7, %rax
  report_eax
  finish

// Far calls and returns in 64-bit mode.
far_returns:
  lea far_pointer(%rip), %rcx
  lea 1f(%rip), %rax
  mov %rax, (%rcx)
  mov %rsp, %rbp
  lcallq *(%rcx)
  sub %rsp, %rbp
  report %ebp // 0
  jmp 2f
1:
  report 8(%rsp) // CS
  lretq
2:
  // Refusals: null, data, an outer privilege by a jump, an address that is not canonical.
  .macro try_far_return selector, address
  resume 9f
  pushq $\selector
  mov \address, %rax
  push %rax
  lretq
9:
  .endm
  try_far_return 0, $0
  try_far_return KERNEL_DATA, $0
  try_far_return 0x1008, $0
  try_far_return KERNEL_CODE, $0x800000000000
  resume 1f
  movw $(USER_CODE | 3), 8(%rcx)
  ljmpq *(%rcx)
1:
  // To user code, releasing 8 bytes on both stacks.
  lea 1f(%rip), %r14
  mov %r14, %r15
  pushq $(USER_DATA | 3)
  lea user_stack(%rip), %rax
  sub $8, %rax
  push %rax
  pushq $0x77
  pushq $(USER_CODE | 3)
  lea user_done(%rip), %rax
  push %rax
  lretq $8
1:
  report 8(%rsp)
  lea user_stack(%rip), %rax
  sub 24(%rsp), %rax
  report_eax // 0
  finish

// Refusals of IRETQ; then IRETD, and what flags user code cannot change.
interrupt_returns:
  .macro try_iret ss, rsp, flags, cs, rip
  resume 9f
  pushq $\ss
  pushq $\rsp
  pushq $\flags
  pushq $\cs
  mov \rip, %rax
  push %rax
  iretq
9:
  .endm
  try_iret 0, STACK, 2, 0, $0
  try_iret 0, STACK, 2, KERNEL_DATA, $0
  try_iret 0, STACK, 2, KERNEL_CODE, $0x800000000000
  try_iret 0, STACK, 2, USER_CODE | 3, $0 // user code has no null stack
  try_iret KERNEL_DATA, STACK, 2, USER_CODE | 3, $0
  try_iret USER_DATA | 3, STACK, 2, KERNEL_CODE | 3, $0
  try_iret ABSENT_DATA, STACK, 2, KERNEL_CODE, $0
  // NT
  pushq $0x4002
  popfq
  resume 1f
  iretq
1:
  pushq $2
  popfq
  // A stack that is null, and every flag that is not a trap's.
  lea 1f(%rip), %rcx
  pushq $0
  pushq $STACK - 0x80
  pushq $0x243cd7 // ID, AC, IOPL, DF, ZF to CF
  pushq $KERNEL_CODE
  push %rcx
  iretq
1:
  pushfq
  pop %rax
  report_eax
  report %esp
  mov %ss, %eax
  report_eax
  // 4 bytes a value.
  sub $20, %rsp
  lea 1f(%rip), %eax
  mov %eax, (%rsp)
  movl $KERNEL_CODE, 4(%rsp)
  movl $2, 8(%rsp)
  movl $STACK, 12(%rsp)
  movl $KERNEL_DATA, 16(%rsp)
  iretl
1:
  report %esp
  mov %ss, %eax
  report_eax
  visit_user user_flags, 1f
1:
  report 16(%rsp)
  finish

// FS and GS.
bases:
  mov $0x1122334455667788, %rax
  resume 1f
  wrfsbase %rax
1:
  mov $0x0000334455667788, %rax
  wrgsbase %rax
  mov $0x12340000, %eax
  wrgsbase %eax
  rdgsbase %rax
  report_eax
  mov $0xc0000102, %ecx
  mov $0x5678, %eax
  xor %edx, %edx
  wrmsr
  swapgs
  rdgsbase %rax
  report_eax
  rdmsr
  report_eax
  // An access through it.
  lea gs_target(%rip), %rax
  wrgsbase %rax
  report %gs:0
  lea gs_target-8(%rip), %rax
  wrfsbase %rax
  report %fs:8
  // A null selector takes the base with it; a descriptor brings its own.
  xor %eax, %eax
  mov %eax, %gs
  rdgsbase %rax
  report_eax
  mov %cr4, %rax
  and $~0x10000, %eax
  mov %rax, %cr4
  resume 1f
  rdfsbase %rax
1:
  finish

// A page that is mapped to another place is read there once it was invalidated, each of the ways.
translations:
  movl $1, SPARE_PAGE
  movl $2, SPARE_PAGE + 0x1000
  .macro swap_page
  xorq $((SPARE_PAGE) ^ (SPARE_PAGE + 0x1000)), SPARE_ENTRY
  .endm
  report SPARE_PAGE
  swap_page
  invlpg SPARE_PAGE
  report SPARE_PAGE
  swap_page
  mov %cr3, %rax
  mov %rax, %cr3
  report SPARE_PAGE
  swap_page
  orq $0x100, SPARE_ENTRY // global
  invlpg SPARE_PAGE
  report SPARE_PAGE
  swap_page
  mov %cr4, %rax
  xor $0x80, %rax // PGE
  mov %rax, %cr4
  report SPARE_PAGE
  // Without WP the kernel writes to what is read-only.
  andq $~2, SPARE_ENTRY
  invlpg SPARE_PAGE
  resume 1f
  movl $3, SPARE_PAGE
1:
  mov %cr0, %rax
  and $~0x10000, %rax
  mov %rax, %cr0
  movl $3, SPARE_PAGE
  report SPARE_PAGE
  finish

// 32-bit code of the kernel under IA-32e mode and back; then of the user.
compatibility_mode:
  lea far_pointer(%rip), %rcx
  lea 1f(%rip), %eax
  mov %eax, (%rcx)
  movw $FLAT_CODE_32, 4(%rcx)
  mov $KERNEL_DATA, %eax
  mov %eax, %ss
  mov %eax, %ds
  ljmp *(%rcx)
  .code32
1:
  mov %cs, %eax
  report_eax
  mov $0xffffffff, %eax
  inc %eax // a prefix, in 64-bit code
  report_eax
  ljmp $KERNEL_CODE, $AT(2f)
  .code64
2:
  lea 1f(%rip), %r14
  mov %r14, %r15
  pushq $(USER_DATA | 3)
  lea user_stack(%rip), %rax
  push %rax
  pushq $2
  pushq $(USER_CODE_32 | 3)
  lea user_done(%rip), %rax
  push %rax
  iretq
1:
  report 8(%rsp)
  report 32(%rsp)
  finish

// INT3 returns behind itself, INT 0x80 works in the kernel too; an absent gate, and one beyond the table.
software_interrupts:
  resume 1f
  int3
1:
  lea 1f(%rip), %r14
  int $0x80
2:
1:
  lea 2b(%rip), %rax
  sub (%rsp), %rax
  report_eax // 0
  resume 1f
  int $0x41
1:
  resume 1f
  int $0xff
1:
  // INT1 asks no gate for its rights.
  visit_user user_int1, 1f
1:
  finish

// An interrupt that waits comes after the instruction behind STI, and not at all where that is CLI.
interrupt_shadow:
  mov $0x1b, %ecx
  rdmsr
  or $0xc00, %eax // x2APIC
  wrmsr
  mov $0x80f, %ecx
  mov $0x1ff, %eax
  xor %edx, %edx
  wrmsr
  mov $0x830, %ecx
  mov $0x40080, %eax // to itself, vector 0x80
  wrmsr
  lea 1f(%rip), %r14
  xor %r8d, %r8d
  sti
  cli
  inc %r8d
  sti
  inc %r8d
  inc %r8d
1:
  report %r8d
  finish

// The trap comes one instruction later than usual behind a load of SS, and also behind a POPF that ends the steps.
single_steps:
  .macro step_from
  pushfq
  orl $0x100, (%rsp)
  popfq
  .endm
  xor %eax, %eax
  xor %r8d, %r8d
  resume 1f
  step_from
  mov %eax, %ss
  inc %r8d
  inc %r8d
1:
  report %r8d
  xor %r8d, %r8d
  resume 1f
  pushq $2
  step_from
  popfq
  inc %r8d
  report $0xbad // no trap
1:
  report %r8d
  finish

// SYSRET and SYSEXIT without REX.W go to 32-bit code.
exits_to_32_bits:
  mov $0xc0000081, %ecx // STAR
  xor %eax, %eax
  mov $(USER_CODE_32 << 16 | KERNEL_CODE), %edx
  wrmsr
  mov $0x174, %ecx // SYSENTER_CS
  mov $KERNEL_CODE, %eax
  xor %edx, %edx
  wrmsr
  lea 1f(%rip), %r14
  mov %r14, %r15
  lea user_done(%rip), %rcx
  mov $2, %r11d
  sysretl
1:
  report 8(%rsp)
  report 32(%rsp)
  lea 1f(%rip), %r14
  mov %r14, %r15
  lea user_stack(%rip), %rcx
  lea user_done(%rip), %rdx
  sysexitl
1:
  report 8(%rsp)
  report 32(%rsp)
  finish

// ---- data

  .balign 16
gdt:
  .quad 0
  .quad 0x00af9b000000ffff // KERNEL_CODE
  .quad 0x00cf93000000ffff // KERNEL_DATA
  .quad 0x00cf9b000000ffff // FLAT_CODE_32
  .quad 0x00cffb000000ffff // USER_CODE_32
  .quad 0x00cff3000000ffff // USER_DATA
  .quad 0x00affb000000ffff // USER_CODE
  .quad 0x0000890000000000 + (task_end - task - 1) // TASK: its base is set by the code
  .quad 0
  .quad 0x00cf92000000ffff // UNTOUCHED_DATA
  .quad 0x00cf13000000ffff // ABSENT_DATA
  .quad 0x00af9f000000ffff // CONFORMING_CODE
  .quad 0x00cf91000000ffff // READ_ONLY_DATA
gdt_end:
gdt_pointer:
  .word gdt_end - gdt - 1
  .long AT(gdt)
idt_pointer:
  .word 0x81 * 16 - 1
  .long AT(idt)
  .balign 16
idt:
  .fill 0x81 * 16, 1, 0
task:
  .long 0
  .quad ENTRY_STACK
  .fill 90, 1, 0
  .word task_map - task
task_map: // of ports 0 to 0x1f; a byte of ones ends it
  .byte 0xff, 0xff, 0xf0, 0xff, 0xff
task_end:
  .balign 16
far_pointer:
  .quad 0
  .word KERNEL_CODE
  .balign 16
gs_target:
  .long 0x6767
  .balign 16
pcid_of_5:
  .quad 5, SPARE_PAGE
pcid_not_canonical:
  .quad 5, 1 << 63
pcid_reserved:
  .quad 0x1000, 0

// ---- user code

  .balign 4096
  .globl user_pages
user_pages:
user_done:
  int $0x80
user_segments:
  mov %ds, %r8d
  mov %es, %r9d
  rdfsbase %r10
  mov %ss, %r11d
  int $0x80
user_questions:
  .macro ask instruction, selector, register
  mov $\selector, %ecx
  \instruction %ecx, \register
  jz 9f
  mov $0xf, \register
9:
  .endm
  ask lar, USER_CODE | 3, %r8d
  ask lar, KERNEL_CODE | 3, %r9d
  ask lsl, USER_DATA | 3, %r10d
  ask lar, CONFORMING_CODE | 3, %r11d
  // A bit for each that is allowed.
  .macro verify instruction, selector
  mov $\selector, %ecx
  \instruction %cx
  setz %al
  lea (%rax, %rbx, 2), %ebx
  .endm
  xor %eax, %eax
  xor %ebx, %ebx
  verify verr, USER_CODE | 3
  verify verw, USER_CODE | 3
  verify verr, USER_DATA | 3
  verify verw, USER_DATA | 3
  verify verr, KERNEL_DATA
  verify verr, CONFORMING_CODE
  verify verr, 0
  int $0x80
user_system_call:
  pushq $0x4d7 // DF, SF to CF
  popfq
  syscall
user_system_call_end:
  int $0x80
user_fast_call:
  sysenter
user_fast_call_end:
  int $0x80
user_report:
  mov $0x4444, %eax
  out %eax, $0x10
  int $0x80
user_out_0x12:
  mov $0x5555, %eax
  out %eax, $0x12
  int $0x80
user_out_far:
  mov $0x1000, %dx
  out %al, %dx
  int $0x80
user_time:
  rdtscp
  mov %ecx, %r8d
  rdpid %r9
  rdtsc
  int $0x80
user_flags:
  pushq $(USER_DATA | 3)
  lea user_stack(%rip), %rax
  push %rax
  pushq $0x3202
  pushq $(USER_CODE | 3)
  lea user_done(%rip), %rax
  push %rax
  iretq
user_int1:
  .byte 0xf1
user_fault_0:
  hlt
user_fault_1:
  cli
user_fault_2:
  sti
user_fault_3:
  rdmsr
user_fault_4:
  wrmsr
user_fault_5:
  mov %cr0, %rax
user_fault_6:
  mov %rax, %cr3
user_fault_7:
  mov %dr7, %rax
user_fault_8:
  clts
user_fault_9:
  invlpg (%rsp)
user_fault_10:
  lgdt (%rsp)
user_fault_11:
  sgdt (%rsp)
user_fault_12:
  sidt (%rsp)
user_fault_13:
  str %eax
user_fault_14:
  sldt %eax
user_fault_15:
  smsw %eax
user_fault_16:
  swapgs
user_fault_17:
  wbinvd
user_fault_18:
  in $0x20, %al
user_fault_19:
  clac
user_fault_20:
  stac
user_fault_21:
  ltr %ax
user_fault_22:
  sysretq
user_fault_22a:
  sysretl
user_fault_22b:
  sysexitl
user_fault_23:
  ud2
user_fault_24:
  int $3
user_fault_25:
  int $0x41
  .balign 8
user_value:
  .long 0x9999
  .balign 4096
  .fill 4096, 1, 0
user_stack:
  .globl user_pages_end
user_pages_end:
  .globl system_guest_end
system_guest_end:
