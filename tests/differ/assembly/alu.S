// Integer arithmetic: chains of carries, what narrow results leave of the rest, flags that are kept. SDM 2A and 2B.
#include "tests/differ/assembly/program.inc"

PROGRAM(CarryRunsThrough256Bits)
  mov rax, -1
  mov rbx, -1
  mov rcx, -1
  mov rdx, 5
  add rax, 1
  adc rbx, 0
  adc rcx, 0
  adc rdx, 0
  EXPECT_FLAGS(CF, 0)
  EXPECT(rax, 0)
  EXPECT(rbx, 0)
  EXPECT(rcx, 0)
  EXPECT(rdx, 6)
  sub rax, 1
  sbb rbx, 0
  sbb rcx, 0
  sbb rdx, 0
  EXPECT_FLAGS(CF, 0)
  EXPECT(rbx, 0xffffffffffffffff)
  EXPECT(rdx, 5)
END_PROGRAM(CarryRunsThrough256Bits)

PROGRAM(IncrementKeepsTheCarry)
  stc
  mov al, 0x7f
  inc al
  EXPECT_FLAGS(STATUS, CF | OF | SF | AF)
  clc
  mov al, 0x80
  dec al
  EXPECT_FLAGS(STATUS, OF | AF)
END_PROGRAM(IncrementKeepsTheCarry)

PROGRAM(NarrowResultsKeepTheRestButForDoublewords)
  mov rax, -1
  mov al, 1
  EXPECT(rax, 0xffffffffffffff01)
  mov ax, 2
  EXPECT(rax, 0xffffffffffff0002)
  mov eax, 3
  EXPECT(rax, 3)
  mov rax, -1
  xor ah, ah
  EXPECT(rax, 0xffffffffffff00ff)
  add ah, al                     // 0 + 0xff
  EXPECT(rax, 0xffffffffffffffff)
  mov rax, -1
  add eax, 0
  EXPECT(rax, 0xffffffff)
END_PROGRAM(NarrowResultsKeepTheRestButForDoublewords)

PROGRAM(HighByteRegistersAreNotTheLowOnesOfRsp)
  mov rbx, 0x1122
  mov bh, 0x77
  EXPECT(rbx, 0x7722)
  mov rbp, 0x3344
  mov bpl, 0x99
  EXPECT(rbp, 0x3399)
  mov rsi, -1
  mov sil, 0
  EXPECT(rsi, 0xffffffffffffff00)
END_PROGRAM(HighByteRegistersAreNotTheLowOnesOfRsp)

PROGRAM(NegationSetsCarryUnlessZero)
  xor eax, eax
  neg rax
  EXPECT_FLAGS(STATUS, ZF | PF)
  mov rax, 1
  shl rax, 63
  neg rax
  EXPECT_FLAGS(STATUS, CF | OF | SF | PF)
  movabs rbx, 0x8000000000000000
  cmp rax, rbx
  FAIL_UNLESS(e)
END_PROGRAM(NegationSetsCarryUnlessZero)

PROGRAM(NotKeepsAllFlags)
  xor eax, eax
  stc
  not rax
  EXPECT_FLAGS(CF | ZF, CF | ZF)
  EXPECT(rax, 0xffffffffffffffff)
END_PROGRAM(NotKeepsAllFlags)

PROGRAM(ComparisonOfMinimumAndMaximum)
  mov eax, 0x80000000
  cmp eax, 0x7fffffff
  EXPECT_FLAGS(STATUS, OF | AF)
  cmp eax, 0x7fffffff
  setl bl
  setb bh
  movzx ebx, bx
  EXPECT(rbx, 1)                 // less as signed, not below as unsigned
END_PROGRAM(ComparisonOfMinimumAndMaximum)

PROGRAM(SignExtendedImmediate)
  xor eax, eax
  sub rax, -128                  // imm8
  EXPECT_FLAGS(CF, CF)
  EXPECT(rax, 128)
  xor eax, eax
  add rax, -0x80000000           // imm32
  EXPECT(rax, 0xffffffff80000000)
END_PROGRAM(SignExtendedImmediate)

PROGRAM(FlagsTravelThroughAh)
  mov ah, 0xff
  sahf
  EXPECT_FLAGS(CF | PF | AF | ZF | SF, CF | PF | AF | ZF | SF)
  xor eax, eax
  sahf
  lahf
  EXPECT(rax, 0x200)             // bit 1 is always set
END_PROGRAM(FlagsTravelThroughAh)

PROGRAM(WideningMoves)
  mov dword ptr [rdi], 0x8080
  movzx eax, byte ptr [rdi]
  EXPECT(rax, 0x80)
  movsx eax, byte ptr [rdi]
  EXPECT(rax, 0xffffff80)
  movsx rax, word ptr [rdi]
  EXPECT(rax, 0xffffffffffff8080)
  mov dword ptr [rdi], 0x80000000
  movsxd rax, dword ptr [rdi]
  EXPECT(rax, 0xffffffff80000000)
  mov eax, 0x80
  cbw
  EXPECT(rax, 0xff80)
  cwde
  EXPECT(rax, 0xffffff80)
  cdqe
  EXPECT(rax, 0xffffffffffffff80)
  cqo
  EXPECT(rdx, 0xffffffffffffffff)
  mov rdx, -1
  mov eax, 1
  cdq
  EXPECT(rdx, 0)
END_PROGRAM(WideningMoves)

PROGRAM(ConditionalMoveOfADoublewordAlwaysClearsTheUpperHalf)
  mov rax, -1
  mov ebx, 5
  xor ecx, ecx                   // ZF
  cmovnz eax, ebx
  EXPECT(rax, 0xffffffff)
  mov rax, -1
  xor ecx, ecx
  cmovz ax, bx
  EXPECT(rax, 0xffffffffffff0005)
END_PROGRAM(ConditionalMoveOfADoublewordAlwaysClearsTheUpperHalf)

PROGRAM(ConditionalMoveReadsItsMemoryEitherWay)
  mov qword ptr [rdi + 8], 0x44
  mov rax, 1
  test rax, rax
  cmovz rax, [rdi + 8]
  EXPECT(rax, 1)
  cmp rax, rax
  cmovz rax, [rdi + 8]
  EXPECT(rax, 0x44)
END_PROGRAM(ConditionalMoveReadsItsMemoryEitherWay)

PROGRAM(AddressArithmeticWrapsAt32Bits)
  mov rax, -1
  lea ecx, [rax + 2]
  EXPECT(rcx, 1)
  lea rcx, [eax + 2]
  EXPECT(rcx, 1)
  lea rcx, [rax + rax * 8 + 9]
  EXPECT(rcx, 0)
  lea cx, [rax - 1]
  EXPECT(rcx, 0xfffe)
END_PROGRAM(AddressArithmeticWrapsAt32Bits)

PROGRAM(ByteSwap)
  movabs rax, 0x0102030405060708
  bswap rax
  EXPECT(rax, 0x0807060504030201)
  bswap eax
  EXPECT(rax, 0x01020304)
  mov [rdi], rax
  movbe rbx, [rdi]
  EXPECT(rbx, 0x0403020100000000)
END_PROGRAM(ByteSwap)

PROGRAM(TableLookup)
  mov byte ptr [rdi + 200], 0x5c
  mov rbx, rdi
  mov eax, 0x123400c8
  xlatb
  EXPECT(rax, 0x1234005c)
END_PROGRAM(TableLookup)

PROGRAM(AddressOfAFarPlaceBehindOtherInstructions)
  lea rcx, [rip + 2f]
  .byte 0x66, 0x8d, 0x1d, 0xff, 0xff, 0xff, 0x7f  // lea bx, [rip + 0x7fffffff]
2:
  movzx ebx, bx
  lea rcx, [rcx + 0x7fffffff]
  movzx ecx, cx
  cmp rbx, rcx
  FAIL_UNLESS(e)
END_PROGRAM(AddressOfAFarPlaceBehindOtherInstructions)

PROGRAM(ScaledIndexWithoutBaseIgnoresTheExtensionOfTheBase)
  mov qword ptr [rdi + 16], 0x77
  mov rbp, rdi
  shr rbp, 3
  mov r13, -1
  .byte 0x67, 0x49, 0x8b, 0x04, 0xed, 0x10, 0, 0, 0  // mov rax, [ebp*8 + 0x10], with REX.B
  EXPECT(rax, 0x77)
END_PROGRAM(ScaledIndexWithoutBaseIgnoresTheExtensionOfTheBase)

  .section .note.GNU-stack, "", @progbits
