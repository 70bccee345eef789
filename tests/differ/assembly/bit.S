// Bit tests, scans and counts; BMI. SDM 2A and 2B, BT, BSF, LZCNT, PDEP, ADCX.
#include "tests/differ/assembly/program.inc"

PROGRAM(BitOffsetReachesFarBeyondTheOperand)
  lea rbx, [rdi + 512]
  mov qword ptr [rbx + 128], 2
  mov eax, 128 * 8 + 1
  bt dword ptr [rbx], eax
  EXPECT_FLAGS(CF, CF)
  mov rax, -1
  bts qword ptr [rbx], rax
  EXPECT_FLAGS(CF, 0)
  EXPECT_MEMORY([rbx - 8], 0x8000000000000000)
  mov rax, -4096
  btc qword ptr [rbx], rax
  EXPECT_MEMORY([rbx - 512], 1)
  btr qword ptr [rbx], rax
  EXPECT_FLAGS(CF, CF)
  EXPECT_MEMORY([rbx - 512], 0)
END_PROGRAM(BitOffsetReachesFarBeyondTheOperand)

PROGRAM(BitOffsetOf16BitsIsSigned)
  lea rbx, [rdi + 4096]
  mov eax, 0x18000               // -32768 in its low half
  bts word ptr [rbx], ax
  EXPECT_MEMORY([rbx - 4096], 1)
  mov eax, 0xffff
  bts word ptr [rbx], ax
  EXPECT_MEMORY([rbx - 8], 0x8000000000000000)
END_PROGRAM(BitOffsetOf16BitsIsSigned)

PROGRAM(BitOffsetOf32BitsIsSigned)
  lea rbx, [rdi + 4096]
  mov eax, -1
  bts dword ptr [rbx], eax
  EXPECT_MEMORY([rbx - 8], 0x8000000000000000)
END_PROGRAM(BitOffsetOf32BitsIsSigned)

PROGRAM(BitOffsetIsMaskedForImmediatesAndRegisters)
  bts qword ptr [rdi], 65
  EXPECT_MEMORY([rdi], 2)
  EXPECT_MEMORY([rdi + 8], 0)
  xor eax, eax
  mov ecx, 35
  bts eax, ecx
  EXPECT(rax, 8)
  mov rax, -1
  btr eax, 0
  EXPECT(rax, 0xfffffffe)
END_PROGRAM(BitOffsetIsMaskedForImmediatesAndRegisters)

PROGRAM(ScansOfNothing)
  xor eax, eax
  bsf rbx, rax
  EXPECT_FLAGS(ZF, ZF)
  tzcnt rbx, rax
  EXPECT_FLAGS(CF | ZF, CF)
  EXPECT(rbx, 64)
  lzcnt ebx, eax
  EXPECT_FLAGS(CF | ZF, CF)
  EXPECT(rbx, 32)
  tzcnt bx, ax
  EXPECT(rbx, 16)
  popcnt rbx, rax
  EXPECT_FLAGS(STATUS, ZF)
END_PROGRAM(ScansOfNothing)

PROGRAM(ScansFromEitherEnd)
  movabs rax, 0x0000800000100000
  bsf rbx, rax
  EXPECT(rbx, 20)
  bsr rbx, rax
  EXPECT(rbx, 47)
  lzcnt rbx, rax
  EXPECT(rbx, 16)
  tzcnt rbx, rax
  EXPECT(rbx, 20)
  popcnt rbx, rax
  EXPECT(rbx, 2)
  mov eax, 1
  lzcnt eax, eax
  EXPECT(rax, 31)
  mov eax, 1
  tzcnt eax, eax
  EXPECT_FLAGS(CF | ZF, ZF)
END_PROGRAM(ScansFromEitherEnd)

PROGRAM(DepositAndExtract)
  movabs rax, 0x123456789abcdef0
  movabs rbx, 0xff00ff00ff00ff00
  stc
  pext rcx, rax, rbx
  EXPECT_FLAGS(CF, CF)
  EXPECT(rcx, 0x12569ade)
  pdep rdx, rcx, rbx
  EXPECT(rdx, 0x120056009a00de00)
END_PROGRAM(DepositAndExtract)

PROGRAM(FieldsOfBits)
  movabs rax, 0x123456789abcdef0
  mov ebx, 0x1004                // 16 bits from 4
  bextr rcx, rax, rbx
  EXPECT(rcx, 0xcdef)
  mov ebx, 0x0140
  bextr rcx, rax, rbx            // starts beyond the operand
  EXPECT_FLAGS(ZF, ZF)
  mov ebx, 12
  bzhi rcx, rax, rbx
  EXPECT(rcx, 0xef0)
  mov ebx, 200
  bzhi rcx, rax, rbx             // keeps all, and says so in CF
  EXPECT_FLAGS(CF, CF)
  EXPECT(rcx, 0x123456789abcdef0)
  blsi rcx, rax
  EXPECT(rcx, 0x10)
  blsr rcx, rax
  EXPECT(rcx, 0x123456789abcdee0)
  blsmsk rcx, rax
  EXPECT(rcx, 0x1f)
  andn rcx, rax, rax
  EXPECT_FLAGS(ZF | SF | CF | OF, ZF)
END_PROGRAM(FieldsOfBits)

PROGRAM(TwoCarryChainsDoNotMeet)
  mov rax, -1
  mov rbx, -1
  xor ecx, ecx                   // clears both
  mov edx, 1
  adcx rax, rdx                  // carries into CF
  adox rbx, rcx                  // without carry
  EXPECT_FLAGS(CF | OF, CF)
  EXPECT(rbx, 0xffffffffffffffff)
  xor ecx, ecx
  adox rbx, rdx
  EXPECT_FLAGS(CF | OF, OF)
END_PROGRAM(TwoCarryChainsDoNotMeet)

  .section .note.GNU-stack, "", @progbits
