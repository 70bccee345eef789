// Multiplication and division. SDM 2A and 2B, MUL, IMUL, DIV, IDIV, MULX.
#include "tests/differ/assembly/program.inc"

PROGRAM(ProductOfTwoQuadwords)
  mov rax, -1
  mov rbx, -1
  mul rbx
  EXPECT_FLAGS(CF | OF, CF | OF)
  EXPECT(rax, 1)
  EXPECT(rdx, 0xfffffffffffffffe)
  mov rax, -1
  imul rbx
  EXPECT_FLAGS(CF | OF, 0)
  EXPECT(rax, 1)
  EXPECT(rdx, 0)
END_PROGRAM(ProductOfTwoQuadwords)

PROGRAM(ProductOfBytesGoesToAx)
  mov eax, 0x112233ff
  mov bl, 2
  mul bl
  EXPECT_FLAGS(CF | OF, CF | OF)
  EXPECT(rax, 0x112201fe)
  mov eax, 0xff
  imul bl
  EXPECT_FLAGS(CF | OF, 0)
  EXPECT(rax, 0xfffe)
END_PROGRAM(ProductOfBytesGoesToAx)

PROGRAM(ProductOfDoublewordsClearsUpperHalves)
  mov rax, -1
  mov rdx, -1
  mov ebx, 3
  mul ebx
  EXPECT(rax, 0xfffffffd)
  EXPECT(rdx, 2)
END_PROGRAM(ProductOfDoublewordsClearsUpperHalves)

PROGRAM(SignedProductThatIsCutSaysSo)
  mov eax, 0x40000000
  imul ebx, eax, 2
  EXPECT_FLAGS(CF | OF, CF | OF)
  EXPECT(rbx, 0x80000000)
  imul ebx, eax, -2
  EXPECT_FLAGS(CF | OF, 0)
  EXPECT(rbx, 0x80000000)
  mov rcx, -5
  mov rdx, 7
  imul rcx, rdx
  EXPECT(rcx, 0xffffffffffffffdd)
END_PROGRAM(SignedProductThatIsCutSaysSo)

PROGRAM(ProductWithoutFlags)
  mov rdx, -1
  mov rax, -1
  stc
  mulx rbx, rcx, rax
  EXPECT_FLAGS(CF, CF)
  EXPECT(rcx, 1)
  EXPECT(rbx, 0xfffffffffffffffe)
  mulx rbx, rbx, rax             // both halves to one register: the high one stays
  EXPECT(rbx, 0xfffffffffffffffe)
END_PROGRAM(ProductWithoutFlags)

PROGRAM(QuotientOf128Bits)
  mov rdx, 1
  mov rax, 2
  mov rbx, 3
  div rbx
  EXPECT(rax, 0x5555555555555556)
  EXPECT(rdx, 0)
  movabs rdx, 0xfffffffffffffffe
  mov rax, -1
  mov rbx, -1
  div rbx
  EXPECT(rax, 0xffffffffffffffff)
  EXPECT(rdx, 0xfffffffffffffffe)
END_PROGRAM(QuotientOf128Bits)

PROGRAM(RemainderHasTheDividendsSign)
  mov rax, -7
  cqo
  mov rbx, 2
  idiv rbx
  EXPECT(rax, 0xfffffffffffffffd)
  EXPECT(rdx, 0xffffffffffffffff)
  mov rax, 7
  cqo
  mov rbx, -2
  idiv rbx
  EXPECT(rax, 0xfffffffffffffffd)
  EXPECT(rdx, 1)
  mov rax, -7
  cqo
  idiv rbx
  EXPECT(rax, 3)
  EXPECT(rdx, 0xffffffffffffffff)
END_PROGRAM(RemainderHasTheDividendsSign)

PROGRAM(QuotientOfBytesGoesToAlAndAh)
  mov eax, 0x55660107
  mov bl, 16
  div bl
  EXPECT(rax, 0x55660710)
  mov eax, 0xff80                // -128
  mov bl, 1
  idiv bl
  EXPECT(rax, 0x0080)
END_PROGRAM(QuotientOfBytesGoesToAlAndAh)

PROGRAM(QuotientOfWordsKeepsUpperParts)
  movabs rax, 0x1111222233330005
  movabs rdx, 0x4444555566660001
  mov bx, 2
  div bx
  EXPECT(rax, 0x1111222233338002)
  EXPECT(rdx, 0x4444555566660001)
END_PROGRAM(QuotientOfWordsKeepsUpperParts)

  .section .note.GNU-stack, "", @progbits
