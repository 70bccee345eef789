// The guest's kernel, copied to DIFFER_KERNEL_CODE: enters the harness in user mode, notes exceptions of cases, and
// tells the host by ports. Absolute addresses only; the kernel's own memory and the sandbox lie below 2 GiB.
#include "tests/differ/addresses.h"

  .intel_syntax noprefix
  .section .rodata
  .balign 16
  .globl differKernel, differKernelEnd, differKernelDone, differKernelStubs
differKernel:
  // CR4.OSXSAVE, and x87, SSE and AVX in XCR0.
  cmp dword ptr [DIFFER_HAS_AVX], 0
  je .Lenter
  mov rax, cr4
  or eax, 0x40000
  mov cr4, rax
  xor ecx, ecx
  xor edx, edx
  mov eax, 7
  xsetbv
.Lenter:
  mov rsp, DIFFER_KERNEL_STACK
  push DIFFER_USER_STACK
  push 0
  push 0x202
  push DIFFER_USER_CODE
  push DIFFER_SANDBOX
  iretq

// int DIFFER_DONE_VECTOR: all cases have run. The next run() starts over.
  .balign 16
differKernelDone:
  out DIFFER_DONE_PORT, al
  jmp differKernel

// A stub of 16 bytes for each exception: makes all frames alike, with error code and vector.
  .balign 16
differKernelStubs:
  .set vector, 0
  .rept 32
  .balign 16
  .if (vector != 8) && (vector != 10) && (vector != 11) && (vector != 12) && (vector != 13) && (vector != 14) && (vector != 17) && (vector != 21)
  push 0
  .endif
  push vector
  jmp .Lexception
  .set vector, vector + 1
  .endr

  .balign 16
.Lexception:
  push rax
  push rbx
  // rbx, rax, vector, error code, rip, cs, rflags, rsp, ss
  test byte ptr [rsp + 40], 3
  jz .Lnotofcase
  mov rax, [rsp + 32]
  sub rax, DIFFER_SANDBOX
  cmp rax, DIFFER_SLOT_BYTES
  jb .Lnotofcase
  mov rbx, [DIFFER_CURRENT]
  mov rax, [rsp + 16]
  mov [rbx + DIFFER_OUT_VECTOR], rax
  cmp eax, 14
  jne .Lnoaddress
  mov rax, cr2
  mov [rbx + DIFFER_OUT_CR2], rax
.Lnoaddress:
  mov rax, [rsp + 24]
  mov [rbx + DIFFER_OUT_ERROR], rax
  mov rax, [rsp + 32]
  mov [rbx + DIFFER_OUT_RIP], rax
  mov rax, [DIFFER_EPILOGUE]
  mov [rsp + 32], rax
  pop rbx
  pop rax
  add rsp, 16
  iretq
.Lnotofcase:
  mov al, [rsp + 16]
  out DIFFER_FAULT_PORT, al
  hlt
differKernelEnd:

  .section .note.GNU-stack, "", @progbits
