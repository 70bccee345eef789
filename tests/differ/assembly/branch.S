// Branches: every condition, counted loops, indirect and nested calls; code that changes itself. SDM 2A and 2B, Jcc, LOOP,
// CALL, RET; 3A, 8.1.3.
#include "tests/differ/assembly/program.inc"

// The 16 conditions as bits, for the status flags in r8.
#define CONDITIONS                                                                                                 \
  xor ebx, ebx;                                                                                                    \
  push r8;                                                                                                         \
  popfq;                                                                                                           \
  seto byte ptr [rdi];                                                                                             \
  setno byte ptr [rdi + 1];                                                                                        \
  setb byte ptr [rdi + 2];                                                                                         \
  setae byte ptr [rdi + 3];                                                                                        \
  sete byte ptr [rdi + 4];                                                                                         \
  setne byte ptr [rdi + 5];                                                                                        \
  setbe byte ptr [rdi + 6];                                                                                        \
  seta byte ptr [rdi + 7];                                                                                         \
  sets byte ptr [rdi + 8];                                                                                         \
  setns byte ptr [rdi + 9];                                                                                        \
  setp byte ptr [rdi + 10];                                                                                        \
  setnp byte ptr [rdi + 11];                                                                                       \
  setl byte ptr [rdi + 12];                                                                                        \
  setge byte ptr [rdi + 13];                                                                                       \
  setle byte ptr [rdi + 14];                                                                                       \
  setg byte ptr [rdi + 15]

PROGRAM(ConditionsOfNoFlag)
  mov r8, 2
  CONDITIONS
  EXPECT_MEMORY([rdi], 0x0100010001000100)
  EXPECT_MEMORY([rdi + 8], 0x0100010001000100)
END_PROGRAM(ConditionsOfNoFlag)

PROGRAM(ConditionsOfAllFlags)
  mov r8, STATUS | 2
  CONDITIONS
  EXPECT_MEMORY([rdi], 0x0001000100010001)
  EXPECT_MEMORY([rdi + 8], 0x0001010000010001)
END_PROGRAM(ConditionsOfAllFlags)

PROGRAM(ConditionsOfSignWithoutOverflow)
  mov r8, SF | 2
  CONDITIONS
  EXPECT_MEMORY([rdi], 0x0100010001000100)
  EXPECT_MEMORY([rdi + 8], 0x0001000101000001)
END_PROGRAM(ConditionsOfSignWithoutOverflow)

PROGRAM(JumpsTakeTheSameConditions)
  xor eax, eax
  stc
  jb 2f
  or eax, 1
2:
  jae 3f
  jmp 4f
3:
  or eax, 2
4:
  clc
  ja 5f
  or eax, 4                      // ZF is set by the first instruction, so not above
  jmp 6f
5:
  or eax, 8
6:
  EXPECT(rax, 4)
END_PROGRAM(JumpsTakeTheSameConditions)

PROGRAM(LoopsCountWithoutFlags)
  mov ecx, 5
  xor eax, eax
  stc
2:
  lea rax, [rax + 3]
  loop 2b
  EXPECT_FLAGS(CF | ZF, CF | ZF)
  EXPECT(rax, 15)
  EXPECT(rcx, 0)
END_PROGRAM(LoopsCountWithoutFlags)

PROGRAM(LoopFromZeroGoesAllTheWayRound)
  xor ecx, ecx
  xor eax, eax
2:
  inc eax
  cmp eax, 4
  je 3f
  loop 2b
3:
  EXPECT(rcx, 0xfffffffffffffffd)
END_PROGRAM(LoopFromZeroGoesAllTheWayRound)

PROGRAM(LoopEndsOnItsConditionToo)
  mov ecx, 10
  mov eax, 3
2:
  dec eax
  loopne 2b
  EXPECT(rcx, 7)
  EXPECT(rax, 0)
  mov ecx, 2
3:
  cmp ecx, ecx
  loope 3b
  EXPECT(rcx, 0)
END_PROGRAM(LoopEndsOnItsConditionToo)

PROGRAM(CountOf32BitsIsItsOwnBranch)
  movabs rcx, 0x100000000
  xor eax, eax
  jrcxz 2f
  or eax, 1
2:
  jecxz 3f
  or eax, 2
3:
  EXPECT(rax, 1)
END_PROGRAM(CountOf32BitsIsItsOwnBranch)

PROGRAM(CallsThroughRegistersMemoryAndTables)
  mov rbx, rsp
  lea rax, [rip + 2f]
  mov [rdi + 8], rax
  xor ecx, ecx
  call rax
  call qword ptr [rdi + 8]
  mov edx, 1
  call qword ptr [rdi + rdx * 8]
  call 2f
  EXPECT(rcx, 4)
  cmp rsp, rbx
  FAIL_UNLESS(e)
  jmp 3f
2:
  inc ecx
  ret
3:
END_PROGRAM(CallsThroughRegistersMemoryAndTables)

PROGRAM(ReturnDropsItsArguments)
  mov rbx, rsp
  push 1
  push 2
  call 2f
  cmp rsp, rbx
  FAIL_UNLESS(e)
  jmp 3f
2:
  ret 16
3:
END_PROGRAM(ReturnDropsItsArguments)

PROGRAM(CallThroughTheStackPointerReadsBeforeItPushes)
  mov rbx, rsp
  lea rax, [rip + 2f]
  push rax
  call qword ptr [rsp]
  mov rsp, rbx
  jmp 3f
2:
  ret
3:
END_PROGRAM(CallThroughTheStackPointerReadsBeforeItPushes)

PROGRAM(RecursionComesBack)
  mov rbx, rsp
  mov eax, 100
  xor ecx, ecx
  call 2f
  EXPECT(rcx, 5050)
  cmp rsp, rbx
  FAIL_UNLESS(e)
  jmp 3f
2:
  test eax, eax
  jz 4f
  add ecx, eax
  dec eax
  call 2b
4:
  ret
3:
END_PROGRAM(RecursionComesBack)

PROGRAM(JumpTable)
  xor ecx, ecx
  xor ebx, ebx
2:
  lea rdx, [rip + 7f]
  movsxd rax, dword ptr [rdx + rbx * 4]
  add rax, rdx
  jmp rax
3:
  or ecx, 1
  jmp 6f
4:
  or ecx, 2
  jmp 6f
5:
  or ecx, 4
6:
  inc ebx
  cmp ebx, 3
  jb 2b
  EXPECT(rcx, 7)
  xor eax, eax
  ret
7:
  .long 3b - 7b, 4b - 7b, 5b - 7b
END_PROGRAM(JumpTable)

PROGRAM(CodeChangesItsOwnImmediate)
  xor ebx, ebx
  mov ecx, 200
2:
  mov eax, 0x11111111
  add ebx, eax
  dec ecx
  mov [rip + 2b + 1], ecx        // the immediate of the move above
  jnz 2b
  // 0x11111111 + 199 + 198 + … + 1
  EXPECT(rbx, 0x11111111 + 19900)
END_PROGRAM(CodeChangesItsOwnImmediate)

PROGRAM(CodeChangesTheNextInstruction)
  lea rdx, [rip + 2f]
  xor eax, eax
  mov word ptr [rdx], 0x9090     // two no-operations
2:
  inc eax
  EXPECT(rax, 0)
END_PROGRAM(CodeChangesTheNextInstruction)

PROGRAM(CodeIsWrittenAndCalledAgainAndAgain)
  // mov eax, imm32; ret — each round with another number, in the same place and across its page's boundary.
  lea rbx, [rip + 4f]
  xor ecx, ecx
  xor edx, edx
2:
  mov byte ptr [rbx], 0xb8
  mov [rbx + 1], ecx
  mov byte ptr [rbx + 5], 0xc3
  call rbx
  add edx, eax
  inc ecx
  cmp ecx, 100
  jb 2b
  EXPECT(rdx, 4950)
  xor eax, eax
  ret
  .balign 64
4:
  .fill 8, 1, 0xcc
END_PROGRAM(CodeIsWrittenAndCalledAgainAndAgain)

PROGRAM(InstructionsAcrossPages)
  xor eax, eax
  jmp 2f
  .org .Lstart_InstructionsAcrossPages + 4096 - 5
2:
  inc eax
  add eax, 0x11111111            // three bytes here, two there
  EXPECT(rax, 0x11111112)
END_PROGRAM(InstructionsAcrossPages)

PROGRAM(BranchesAcrossPages)
  xor eax, eax
  jmp 2f
  .org .Lstart_BranchesAcrossPages + 4096 - 4
2:
  inc eax
  .byte 0xe9                     // jmp, its distance in both pages
  .long 3f - 4f
4:
  or eax, 0x100                  // jumped over
3:
  EXPECT(rax, 1)
END_PROGRAM(BranchesAcrossPages)

PROGRAM(SecondHalfOfAnInstructionChanges)
  xor ebx, ebx
  mov ecx, 5
  lea rdx, [rip + 3f]
  jmp 2f
  .org .Lstart_SecondHalfOfAnInstructionChanges + 4096 - 2
2:
  .byte 0xb8, 0                  // mov eax, imm32
3:
  .byte 0, 0, 0                  // the three upper bytes of the immediate
  add ebx, eax
  mov [rdx], cl
  dec ecx
  jnz 2b
  // (0 + 5 + 4 + 3 + 2) << 8
  EXPECT(rbx, 0xe00)
END_PROGRAM(SecondHalfOfAnInstructionChanges)

PROGRAM(FirstHalfOfAnInstructionChanges)
  xor ebx, ebx
  mov ecx, 5
  lea rdx, [rip + 3f]
  jmp 2f
  .org .Lstart_FirstHalfOfAnInstructionChanges + 4096 - 2
2:
  .byte 0xb8
3:
  .byte 0, 0, 0, 0
  add ebx, eax
  mov [rdx], cl
  dec ecx
  jnz 2b
  EXPECT(rbx, 14)
END_PROGRAM(FirstHalfOfAnInstructionChanges)

  .section .note.GNU-stack, "", @progbits
