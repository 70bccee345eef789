// The stack: what push and pop do to their own registers, frames, flags. SDM 2A and 2B, PUSH, POP, ENTER, LEAVE, POPF.
#include "tests/differ/assembly/program.inc"

PROGRAM(PushedStackPointerIsTheOldOne)
  mov rbx, rsp
  push rsp
  pop rax
  cmp rax, rbx
  FAIL_UNLESS(e)
END_PROGRAM(PushedStackPointerIsTheOldOne)

PROGRAM(PoppedStackPointerIsTheValue)
  mov rbx, rsp
  lea rax, [rdi + 64]
  push rax
  pop rsp
  mov rcx, rsp
  mov rsp, rbx
  cmp rcx, rax
  FAIL_UNLESS(e)
END_PROGRAM(PoppedStackPointerIsTheValue)

PROGRAM(PopCountsItsAddressAfterThePop)
  mov rbx, rsp
  push 0
  push 0
  push 0x77
  pop qword ptr [rsp + 8]
  EXPECT_MEMORY([rbx - 8], 0x77)
  EXPECT_MEMORY([rbx - 16], 0)
  push qword ptr [rsp + 8]       // counts from before the push
  pop rax
  EXPECT(rax, 0x77)
  mov rsp, rbx
END_PROGRAM(PopCountsItsAddressAfterThePop)

PROGRAM(ImmediatesAreSignExtended)
  push -2
  pop rax
  EXPECT(rax, 0xfffffffffffffffe)
  push 0x7fffffff
  pop rax
  EXPECT(rax, 0x7fffffff)
END_PROGRAM(ImmediatesAreSignExtended)

PROGRAM(WordsMoveTheStackByTwo)
  mov rbx, rsp
  mov ax, 0x1234
  push ax
  mov rcx, rbx
  sub rcx, rsp
  EXPECT(rcx, 2)
  mov rdx, -1
  pop dx
  EXPECT(rdx, 0xffffffffffff1234)
  cmp rbx, rsp
  FAIL_UNLESS(e)
END_PROGRAM(WordsMoveTheStackByTwo)

PROGRAM(FramesNest)
  mov rbx, rsp
  mov rbp, 0x1111
  enter 32, 0
  EXPECT_MEMORY([rbx - 8], 0x1111)
  lea rax, [rbx - 8]
  cmp rbp, rax
  FAIL_UNLESS(e)
  lea rax, [rbx - 40]
  cmp rsp, rax
  FAIL_UNLESS(e)
  leave
  EXPECT(rbp, 0x1111)
  cmp rsp, rbx
  FAIL_UNLESS(e)
END_PROGRAM(FramesNest)

PROGRAM(FramesOfALevelCopyTheDisplay)
  mov rbx, rsp
  lea rbp, [rdi + 256]
  mov qword ptr [rdi + 248], 0xaa
  mov qword ptr [rdi + 240], 0xbb
  mov rdx, rbp
  enter 16, 3
  // Pushed: rbp, [rbp - 8], [rbp - 16], the frame itself.
  cmp [rbx - 8], rdx
  FAIL_UNLESS(e)
  EXPECT_MEMORY([rbx - 16], 0xaa)
  EXPECT_MEMORY([rbx - 24], 0xbb)
  lea rax, [rbx - 8]
  cmp [rbx - 32], rax
  FAIL_UNLESS(e)
  cmp rbp, rax
  FAIL_UNLESS(e)
  lea rax, [rbx - 48]
  cmp rsp, rax
  FAIL_UNLESS(e)
  mov rsp, rbx
END_PROGRAM(FramesOfALevelCopyTheDisplay)

PROGRAM(FlagsAreLoadedAsFarAsUserModeMay)
  pushfq
  pop rax
  or eax, STATUS | DF | 0x200000
  and eax, ~0x3200               // neither the interrupt flag nor the privilege level are ours
  push rax
  popfq
  pushfq
  pop rbx
  cld
  and ebx, STATUS | DF | 0x203200
  EXPECT(rbx, STATUS | DF | 0x200200)
  push 2
  popfq
  EXPECT_FLAGS(STATUS | DF, 0)
END_PROGRAM(FlagsAreLoadedAsFarAsUserModeMay)

PROGRAM(SixteenBitFlagsLeaveTheUpperOnesAlone)
  pushfq
  or dword ptr [rsp], 0x200000
  popfq
  push 0
  .byte 0x66, 0x68, 0xd5, 0x08     // push word 0x8d5
  popfw
  pushfq
  pop rax
  and eax, STATUS | 0x200000
  EXPECT(rax, STATUS | 0x200000)
  pop rcx
END_PROGRAM(SixteenBitFlagsLeaveTheUpperOnesAlone)

PROGRAM(StackAcrossAPageBoundary)
  mov rbx, rsp
  lea rsp, [rdi + 4096 + 4]
  movabs rax, 0x1122334455667788
  push rax
  pop rcx
  cmp rax, rcx
  mov rdx, rsp
  mov rsp, rbx
  FAIL_UNLESS(e)
  EXPECT_MEMORY([rdi + 4096 - 4], 0x1122334455667788)
  sub rdx, rdi
  EXPECT(rdx, 4100)
END_PROGRAM(StackAcrossAPageBoundary)

  .section .note.GNU-stack, "", @progbits
