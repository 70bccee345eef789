// String instructions: both directions, overlap, counts of 0, ends of comparisons, page boundaries. SDM 2A and 2B,
// MOVS, CMPS, SCAS, LODS, STOS, and REP.
#include "tests/differ/assembly/program.inc"

PROGRAM(CountOfZeroTouchesNothing)
  xor ecx, ecx
  mov rsi, 0x10                 // nobody's memory
  mov rdi, 0x20
  cmp ecx, 1                    // CF, SF, PF set; ZF clear
  rep movsb
  rep movsq
  repe cmpsb
  repne scasw
  rep stosd
  rep lodsb
  EXPECT_FLAGS(STATUS, CF | PF | SF | AF)
  EXPECT(rsi, 0x10)
  EXPECT(rdi, 0x20)
  EXPECT(rcx, 0)
END_PROGRAM(CountOfZeroTouchesNothing)

PROGRAM(OverlapOfOneByteRepeatsIt)
  mov byte ptr [rdi], 0x5a
  mov rsi, rdi
  lea rdi, [rdi + 1]
  mov ecx, 15
  rep movsb
  EXPECT_MEMORY([rsi - 15], 0x5a5a5a5a5a5a5a5a)
  EXPECT_MEMORY([rsi - 7], 0x5a5a5a5a5a5a5a5a)
  cmp byte ptr [rdi], 0
  FAIL_UNLESS(e)
END_PROGRAM(OverlapOfOneByteRepeatsIt)

PROGRAM(OverlapOfThreeBytesGoesByEights)
  // Elements of 8 bytes, 3 bytes apart: each is read after the one before was written.
  movabs rax, 0x0807060504030201
  mov [rdi], rax
  lea rsi, [rdi]
  lea rdi, [rdi + 3]
  mov ecx, 2
  rep movsq
  EXPECT_MEMORY([rdi - 19], 0x0504030201030201)
  EXPECT_MEMORY([rdi - 11], 0x0000080706080706)
END_PROGRAM(OverlapOfThreeBytesGoesByEights)

PROGRAM(BackwardOverlapKeepsTheBytes)
  movabs rax, 0x1122334455667788
  mov [rdi], rax
  mov rbx, rdi
  lea rsi, [rdi + 7]
  lea rdi, [rdi + 9]
  mov ecx, 8
  std
  rep movsb
  cld
  EXPECT_MEMORY([rbx + 2], 0x1122334455667788)
  mov rax, rbx
  sub rax, rsi
  EXPECT(rax, 1)
  EXPECT(rcx, 0)
END_PROGRAM(BackwardOverlapKeepsTheBytes)

PROGRAM(BackwardWordsCountDown)
  lea rdi, [rdi + 64]
  mov rbx, rdi
  mov eax, 0xbeef
  mov ecx, 4
  std
  rep stosw
  cld
  EXPECT_MEMORY([rbx - 6], 0xbeefbeefbeefbeef)
  sub rbx, rdi
  EXPECT(rbx, 8)
END_PROGRAM(BackwardWordsCountDown)

PROGRAM(ComparisonEndsAtTheFirstDifference)
  mov dword ptr [rdi], 0x04030201
  mov dword ptr [rdi + 16], 0x04090201
  mov rsi, rdi
  lea rdi, [rdi + 16]
  mov rbx, rsi
  mov ecx, 10
  repe cmpsb
  EXPECT_FLAGS(ZF | CF, CF)     // 3 below 9
  EXPECT(rcx, 7)
  sub rsi, rbx
  EXPECT(rsi, 3)
END_PROGRAM(ComparisonEndsAtTheFirstDifference)

PROGRAM(ComparisonOfEqualsRunsOut)
  mov rsi, rdi
  lea rdi, [rdi + 100]
  mov ecx, 5
  repe cmpsd
  EXPECT_FLAGS(STATUS, ZF | PF)
  EXPECT(rcx, 0)
END_PROGRAM(ComparisonOfEqualsRunsOut)

PROGRAM(ScanFindsTheEndOfAString)
  movabs rax, 0x0000676e69727473 // "string"
  mov [rdi], rax
  mov rbx, rdi
  xor eax, eax
  mov rcx, -1
  repne scasb
  not rcx
  dec rcx
  EXPECT(rcx, 6)
  sub rdi, rbx
  EXPECT(rdi, 7)
END_PROGRAM(ScanFindsTheEndOfAString)

PROGRAM(ScanForWhatDiffers)
  mov ecx, 4
  mov rbx, rdi
  mov dword ptr [rdi + 8], 7
  xor eax, eax
  repe scasd
  EXPECT_FLAGS(ZF | CF, CF)     // 0 - 7
  EXPECT(rcx, 1)
  sub rdi, rbx
  EXPECT(rdi, 12)
END_PROGRAM(ScanForWhatDiffers)

PROGRAM(LoadsKeepTheUpperPartOfTheAccumulator)
  movabs rax, 0x8877665544332211
  mov [rdi], rax
  mov rsi, rdi
  mov rax, -1
  lodsb
  EXPECT(rax, 0xffffffffffffff11)
  lodsw
  EXPECT(rax, 0xffffffffffff3322)
  lodsd
  EXPECT(rax, 0x77665544)
END_PROGRAM(LoadsKeepTheUpperPartOfTheAccumulator)

PROGRAM(AddressSizePrefixCountsInEcx)
  movabs rcx, 0x700000003
  movabs rax, 0x500000000
  mov rbx, rdi
  or rdi, rax
  mov eax, 0x61
  addr32 rep stosb
  EXPECT(rcx, 0)
  sub rdi, rbx
  EXPECT(rdi, 3)                // 32 bits were written, so the upper half is gone
  EXPECT_MEMORY([rbx], 0x616161)
END_PROGRAM(AddressSizePrefixCountsInEcx)

PROGRAM(CopyAcrossPages)
  lea rbx, [rdi + 4096 - 13]
  mov rdx, rdi
  mov ecx, 29
  xor eax, eax
2:
  lea r8d, [rax + 1]
  mov [rdx + rax], r8b
  inc eax
  cmp eax, ecx
  jb 2b
  mov rsi, rdx
  mov rdi, rbx
  rep movsb
  xor eax, eax
3:
  mov r8b, [rdx + rax]
  cmp r8b, [rbx + rax]
  FAIL_UNLESS(e)
  inc eax
  cmp eax, 29
  jb 3b
  cmp byte ptr [rbx + 29], 0
  FAIL_UNLESS(e)
END_PROGRAM(CopyAcrossPages)

PROGRAM(CopyOfTwoPagesByEights)
  mov rdx, rdi
  mov ecx, 512
  mov rax, rdi
2:
  mov [rdi + rcx * 8 - 8], rcx
  dec ecx
  jnz 2b
  mov rsi, rdi
  lea rdi, [rdi + 4096]
  mov ecx, 512
  rep movsq
  EXPECT_MEMORY([rdx + 4096], 1)
  EXPECT_MEMORY([rdx + 8184], 512)
END_PROGRAM(CopyOfTwoPagesByEights)

PROGRAM(LastByteOfTheDataIsReached)
  lea rdi, [rdi + 8191]
  mov al, 0x77
  mov ecx, 1
  rep stosb
  cmp byte ptr [rdi - 1], 0x77
  FAIL_UNLESS(e)
END_PROGRAM(LastByteOfTheDataIsReached)

PROGRAM(SingleStringInstructionsIgnoreTheCount)
  xor ecx, ecx
  mov rbx, rdi
  mov eax, 0x31
  stosb
  stosb
  EXPECT(rcx, 0)
  EXPECT_MEMORY([rbx], 0x3131)
END_PROGRAM(SingleStringInstructionsIgnoreTheCount)

  .section .note.GNU-stack, "", @progbits
