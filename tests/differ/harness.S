// The code between cases, copied to the start of the sandbox; user mode, the same bytes on both sides. Position does not
// matter: what it touches has absolute addresses below 2 GiB.
// For each slot from `current` up to `end`: load its state, jump to its entry; the case comes back to `epilogue` (its
// last jump, or the exception handler), which stores the state. Then to `exit`.
#include "tests/differ/addresses.h"

  .intel_syntax noprefix
  .section .rodata
  .balign 16
  .globl differHarness, differHarnessEnd, differEpilogue, differLeave
differHarness:
  mov rbx, [DIFFER_CURRENT]
.Lnext:
  fxrstor64 [rbx + DIFFER_IN_FX]
  cmp dword ptr [DIFFER_HAS_AVX], 0
  je .Lloaded
  .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
  vinsertf128 ymm\n, ymm\n, [rbx + DIFFER_IN_UPPER + 16 * \n], 1
  .endr
.Lloaded:
  mov rax, [rbx + DIFFER_IN_FS]
  wrfsbase rax
  mov rax, [rbx + DIFFER_IN_GS]
  wrgsbase rax
  mov rax, [rbx + DIFFER_IN_ENTRY]
  mov [DIFFER_TARGET], rax
  lea rsp, [rbx + DIFFER_IN_GPRS]
  pop rax
  pop rcx
  pop rdx
  pop rbx
  pop rbp
  pop rsi
  pop rdi
  pop r8
  pop r9
  pop r10
  pop r11
  pop r12
  pop r13
  pop r14
  pop r15
  popfq
  pop rsp
  jmp [DIFFER_TARGET]

  .balign 16
differEpilogue:
  mov [DIFFER_SAVED_RSP], rsp
  mov rsp, [DIFFER_CURRENT]
  lea rsp, [rsp + DIFFER_OUT_RSP]
  pushfq
  push r15
  push r14
  push r13
  push r12
  push r11
  push r10
  push r9
  push r8
  push rdi
  push rsi
  push rbp
  push rbx
  push rdx
  push rcx
  push rax
  mov rbx, [DIFFER_CURRENT]
  // No flag of a case outlives it: direction, alignment check, nested task.
  mov rsp, DIFFER_CONTROL_STACK
  push 2
  popfq
  mov rax, [DIFFER_SAVED_RSP]
  mov [rbx + DIFFER_OUT_RSP], rax
  rdfsbase rax
  mov [rbx + DIFFER_OUT_FS], rax
  rdgsbase rax
  mov [rbx + DIFFER_OUT_GS], rax
  fxsave64 [rbx + DIFFER_OUT_FX]
  cmp dword ptr [DIFFER_HAS_AVX], 0
  je .Lstored
  .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
  vextractf128 [rbx + DIFFER_OUT_UPPER + 16 * \n], ymm\n, 1
  .endr
  vzeroupper
.Lstored:
  add rbx, DIFFER_SLOT_BYTES
  mov [DIFFER_CURRENT], rbx
  cmp rbx, [DIFFER_END]
  jb .Lnext
  jmp [DIFFER_EXIT]

// The native way out: back into differEnter's caller.
  .balign 16
differLeave:
  fxrstor64 [DIFFER_HOST_FX]
  mov rax, [DIFFER_HOST_FS]
  wrfsbase rax
  mov rax, [DIFFER_HOST_GS]
  wrgsbase rax
  mov rsp, [DIFFER_HOST_RSP]
  pop r15
  pop r14
  pop r13
  pop r12
  pop rbp
  pop rbx
  ret

// The guest's way out: its kernel tells the host.
  .globl differGuestLeave
  .balign 16
differGuestLeave:
  int DIFFER_DONE_VECTOR
differHarnessEnd:

// void differEnter(): runs the harness natively.
  .text
  .globl differEnter
  .type differEnter, @function
differEnter:
  push rbx
  push rbp
  push r12
  push r13
  push r14
  push r15
  mov [DIFFER_HOST_RSP], rsp
  rdfsbase rax
  mov [DIFFER_HOST_FS], rax
  rdgsbase rax
  mov [DIFFER_HOST_GS], rax
  fxsave64 [DIFFER_HOST_FX]
  mov rax, DIFFER_SANDBOX
  jmp rax
  .size differEnter, . - differEnter

// A signal of a case: the kernel leaves the case's FS base, and C++ wants its own.
  .globl differSignal
  .type differSignal, @function
differSignal:
  push rbx
  rdfsbase rbx
  mov rax, [DIFFER_HOST_FS]
  wrfsbase rax
  call differOnSignal@PLT
  wrfsbase rbx
  pop rbx
  ret
  .size differSignal, . - differSignal

  .section .note.GNU-stack, "", @progbits
