/* What the self-checking programs are written with. The C preprocessor's, for assembly alone: a failed check answers
   with its line.

   A program is called in user mode, natively or in a guest: rdi is the start of 8 KiB of zeroed data, behind which a
   page may only be read and then there is nothing, as there is nothing in front; the stack has 4 KiB and more; flags
   and floating-point state are as in a fresh process. It returns 0 in eax, or the line of the check that failed. It may
   change every register but rsp. Checks change r11 and flags. */
#pragma once

  .intel_syntax noprefix

#define PROGRAM(name)                                                                                              \
  .section .rodata;                                                                                                \
  .Lname_##name : .asciz #name;                                                                                    \
  .Lfile_##name : .asciz __FILE__;                                                                                 \
  .balign 16;                                                                                                      \
  .Lstart_##name:

#define END_PROGRAM(name)                                                                                          \
  xor eax, eax;                                                                                                    \
  ret;                                                                                                             \
  .Lend_##name:                                                                                                    \
  .section differ_programs, "aw", @progbits;                                                                       \
  .quad .Lname_##name, .Lfile_##name, .Lstart_##name, .Lend_##name

#define FAIL_UNLESS(condition)                                                                                     \
  j##condition 1f;                                                                                                 \
  mov eax, __LINE__;                                                                                               \
  ret;                                                                                                             \
  1:

/* A 64-bit register against a constant of as many bits. */
#define EXPECT(register, value)                                                                                    \
  movabs r11, value;                                                                                               \
  cmp register, r11;                                                                                               \
  FAIL_UNLESS(e)

/* 8 bytes of memory. */
#define EXPECT_MEMORY(place, value)                                                                                \
  movabs r11, value;                                                                                               \
  cmp qword ptr place, r11;                                                                                        \
  FAIL_UNLESS(e)

/* Status flags, as they are: CF 1, PF 4, AF 0x10, ZF 0x40, SF 0x80, DF 0x400, OF 0x800. */
#define EXPECT_FLAGS(mask, value)                                                                                  \
  pushfq;                                                                                                          \
  pop r11;                                                                                                         \
  and r11d, mask;                                                                                                  \
  cmp r11d, value;                                                                                                 \
  FAIL_UNLESS(e)

/* The low or the high half of an XMM register. */
#define EXPECT_LOW(xmm, value)                                                                                     \
  movq rax, xmm;                                                                                                   \
  EXPECT(rax, value)
#define EXPECT_HIGH(xmm, value)                                                                                    \
  pextrq rax, xmm, 1;                                                                                              \
  EXPECT(rax, value)

/* Loads an XMM register with two halves. */
#define LOAD_XMM(xmm, low, high)                                                                                   \
  movabs rax, low;                                                                                                 \
  movq xmm, rax;                                                                                                   \
  movabs rax, high;                                                                                                \
  pinsrq xmm, rax, 1

#define CF 0x1
#define PF 0x4
#define AF 0x10
#define ZF 0x40
#define SF 0x80
#define DF 0x400
#define OF 0x800
#define STATUS (CF | PF | AF | ZF | SF | OF)
