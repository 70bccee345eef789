// Shifts and rotations: counts of 0, counts that wrap, rotations through carry. SDM 2B, SAL/SAR/SHL/SHR, RCL/RCR/ROL/ROR,
// SHLD, SHRD.
#include "tests/differ/assembly/program.inc"

PROGRAM(CountOfZeroKeepsFlagsAndStillWritesADoubleword)
  mov rax, -1
  xor ecx, ecx
  stc
  shl eax, cl
  EXPECT_FLAGS(CF | ZF, CF | ZF)
  EXPECT(rax, 0xffffffff)
  mov ecx, 32
  mov rax, -1
  stc
  sar eax, cl
  EXPECT_FLAGS(CF, CF)
  EXPECT(rax, 0xffffffff)
END_PROGRAM(CountOfZeroKeepsFlagsAndStillWritesADoubleword)

PROGRAM(CountsAreMaskedTo6BitsForQuadwords)
  mov eax, 1
  mov ecx, 65
  shl rax, cl
  EXPECT(rax, 2)
  mov eax, 1
  mov ecx, 33
  shl rax, cl
  EXPECT(rax, 0x200000000)
  mov eax, 1
  shl eax, cl
  EXPECT(rax, 2)
END_PROGRAM(CountsAreMaskedTo6BitsForQuadwords)

PROGRAM(BytesShiftOutWhole)
  mov eax, 0x1ff
  mov cl, 20
  shr al, cl
  EXPECT(rax, 0x100)
  mov eax, 0x80
  sar al, cl
  EXPECT(rax, 0xff)
END_PROGRAM(BytesShiftOutWhole)

PROGRAM(OverflowOfOneBitShifts)
  mov eax, 0x40000000
  shl eax, 1
  EXPECT_FLAGS(OF | CF | SF, OF | SF)
  mov eax, 0xc0000000
  shl eax, 1
  EXPECT_FLAGS(OF | CF | SF, CF | SF)
  mov eax, 0x80000001
  shr eax, 1
  EXPECT_FLAGS(OF | CF | SF, OF | CF)
  mov eax, 0x80000001
  sar eax, 1
  EXPECT_FLAGS(OF | CF | SF, CF | SF)
  mov eax, 0x80000001
  rol eax, 1
  EXPECT_FLAGS(OF | CF, OF | CF)
  ror eax, 1
  EXPECT_FLAGS(OF | CF, OF | CF)
END_PROGRAM(OverflowOfOneBitShifts)

PROGRAM(RotationThroughCarryIsOf65Bits)
  movabs rax, 0x8000000000000001
  clc
  mov cl, 63
  rcl rax, cl
  // The 65-bit number 0:80..01 rotated left by 63, that is right by 2.
  EXPECT_FLAGS(CF, 0)
  EXPECT(rax, 0xa000000000000000)
  rcr rax, cl
  EXPECT_FLAGS(CF, 0)
  EXPECT(rax, 0x8000000000000001)
END_PROGRAM(RotationThroughCarryIsOf65Bits)

PROGRAM(RotationOfAByteThroughCarryBy9IsNone)
  mov eax, 0x5a
  stc
  rcl al, 9
  EXPECT_FLAGS(CF, CF)
  EXPECT(rax, 0x5a)
  stc
  rcl al, 10
  EXPECT_FLAGS(CF, 0)
  EXPECT(rax, 0xb5)
  mov eax, 0x5a5a
  clc
  rcr ax, 17
  EXPECT_FLAGS(CF, 0)
  EXPECT(rax, 0x5a5a)
END_PROGRAM(RotationOfAByteThroughCarryBy9IsNone)

PROGRAM(RotationByTheWidthSetsOnlyTheCarry)
  mov eax, 0x81
  xor ebx, ebx                   // ZF and PF, to be kept
  rol al, 8
  EXPECT_FLAGS(CF | ZF | PF, CF | ZF | PF)
  EXPECT(rax, 0x81)
END_PROGRAM(RotationByTheWidthSetsOnlyTheCarry)

PROGRAM(DoubleShifts)
  movabs rax, 0x1122334455667788
  movabs rbx, 0x99aabbccddeeff00
  shld rax, rbx, 8
  EXPECT(rax, 0x2233445566778899)
  shrd rax, rbx, 16
  EXPECT(rax, 0xff00223344556677)
  mov cl, 0
  stc
  shld eax, ebx, cl
  EXPECT_FLAGS(CF, CF)
  EXPECT(rax, 0x44556677)
  mov [rdi], rax
  mov cl, 36                     // 4
  shrd dword ptr [rdi], ebx, cl
  EXPECT_MEMORY([rdi], 0x04455667)
END_PROGRAM(DoubleShifts)

PROGRAM(FlaglessShifts)
  mov rax, -2
  mov ecx, 63
  stc
  sarx rbx, rax, rcx
  EXPECT_FLAGS(CF, CF)
  EXPECT(rbx, 0xffffffffffffffff)
  shrx rbx, rax, rcx
  EXPECT(rbx, 1)
  shlx ebx, eax, ecx             // 31
  EXPECT(rbx, 0)
  rorx rbx, rax, 1
  EXPECT(rbx, 0x7fffffffffffffff)
END_PROGRAM(FlaglessShifts)

  .section .note.GNU-stack, "", @progbits
