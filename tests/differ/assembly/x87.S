// x87: the stack's ends, rounding and precision control, what comparisons say, environments. SDM 1, chapter 8.
#include "tests/differ/assembly/program.inc"

// The status word's bits in AX: IE 1, DE 2, ZE 4, OE 8, UE 0x10, PE 0x20, SF 0x40, C0 0x100, C1 0x200, C2 0x400, C3 0x4000.
#define EXPECT_STATUS(mask, value)                                                                                 \
  fnstsw ax;                                                                                                       \
  and eax, mask;                                                                                                   \
  cmp eax, value;                                                                                                  \
  FAIL_UNLESS(e)

#define CONTROL(value)                                                                                             \
  mov word ptr [rdi + 4000], value;                                                                                \
  fldcw word ptr [rdi + 4000]

#define EXPECT_REAL80(place, significand, exponent)                                                                \
  EXPECT_MEMORY([place], significand);                                                                             \
  cmp word ptr [place + 8], exponent;                                                                              \
  FAIL_UNLESS(e)

PROGRAM(NinthPushOverflows)
  fld1
  fld1
  fld1
  fld1
  fld1
  fld1
  fld1
  fld1
  fldz
  EXPECT_STATUS(0x3a41, 0x3a41)  // IE, SF, C1: it went over; the top came round to 7
  fstp tbyte ptr [rdi]           // the indefinite
  EXPECT_REAL80(rdi, 0xc000000000000000, 0xffff)
  fninit
END_PROGRAM(NinthPushOverflows)

PROGRAM(PopOfAnEmptyStackUnderflows)
  fninit
  fstp tbyte ptr [rdi]
  EXPECT_STATUS(0x3a41, 0x0841)  // IE, SF, C1 clear; the top moved all the same
  EXPECT_REAL80(rdi, 0xc000000000000000, 0xffff)
  fninit
END_PROGRAM(PopOfAnEmptyStackUnderflows)

PROGRAM(RoundingModes)
  mov dword ptr [rdi], 0x40200000  // 2.5
  mov dword ptr [rdi + 4], 0xc0200000
  CONTROL(0x037f)                // to nearest, even
  fld dword ptr [rdi]
  frndint
  fistp dword ptr [rdi + 8]
  CONTROL(0x077f)                // down
  fld dword ptr [rdi + 4]
  fistp dword ptr [rdi + 12]
  CONTROL(0x0b7f)                // up
  fld dword ptr [rdi]
  fistp dword ptr [rdi + 16]
  CONTROL(0x0f7f)                // towards zero
  fld dword ptr [rdi + 4]
  fistp dword ptr [rdi + 20]
  CONTROL(0x037f)
  fld dword ptr [rdi + 4]
  fisttp dword ptr [rdi + 24]    // always towards zero
  EXPECT_MEMORY([rdi + 8], 0xfffffffd00000002)
  EXPECT_MEMORY([rdi + 16], 0xfffffffe00000003)
  EXPECT_MEMORY([rdi + 24], 0xfffffffe)
END_PROGRAM(RoundingModes)

PROGRAM(RoundingUpIsToldInC1)
  fninit
  mov dword ptr [rdi], 0x3fe00000  // 1.75
  fld dword ptr [rdi]
  frndint
  EXPECT_STATUS(0x0220, 0x0220)
  fstp st(0)
  mov dword ptr [rdi], 0x3fa00000  // 1.25
  fld dword ptr [rdi]
  frndint
  EXPECT_STATUS(0x0220, 0x0020)
  fninit
END_PROGRAM(RoundingUpIsToldInC1)

PROGRAM(PrecisionControlRoundsSignificands)
  CONTROL(0x007f)                // 24 bits
  fld1
  fidiv dword ptr [rip + 9f]
  fstp tbyte ptr [rdi]
  EXPECT_REAL80(rdi, 0xaaaaab0000000000, 0x3ffd)
  CONTROL(0x027f)                // 53 bits
  fld1
  fidiv dword ptr [rip + 9f]
  fstp tbyte ptr [rdi]
  EXPECT_REAL80(rdi, 0xaaaaaaaaaaaaa800, 0x3ffd)
  CONTROL(0x037f)                // 64 bits
  fld1
  fidiv dword ptr [rip + 9f]
  fstp tbyte ptr [rdi]
  EXPECT_REAL80(rdi, 0xaaaaaaaaaaaaaaab, 0x3ffd)
  xor eax, eax
  ret
9:
  .long 3
END_PROGRAM(PrecisionControlRoundsSignificands)

PROGRAM(IntegersThatDoNotFitAreIndefinite)
  fninit
  movabs rax, 0x40f0000000000000 // 65536.0
  mov [rdi], rax
  fld qword ptr [rdi]
  fist word ptr [rdi + 8]
  EXPECT_STATUS(1, 1)
  cmp word ptr [rdi + 8], -0x8000
  FAIL_UNLESS(e)
  fistp dword ptr [rdi + 8]
  EXPECT_MEMORY([rdi + 8], 65536)
  movabs rax, 0x43e0000000000000 // 2^63
  mov [rdi], rax
  fld qword ptr [rdi]
  fistp qword ptr [rdi + 8]
  EXPECT_MEMORY([rdi + 8], 0x8000000000000000)
  fninit
END_PROGRAM(IntegersThatDoNotFitAreIndefinite)

PROGRAM(IntegersOf64BitsAreExact)
  movabs rax, 0x7fffffffffffffff
  mov [rdi], rax
  fild qword ptr [rdi]
  fstp tbyte ptr [rdi + 16]
  EXPECT_REAL80(rdi + 16, 0xfffffffffffffffe, 0x403d)
  fld tbyte ptr [rdi + 16]
  fistp qword ptr [rdi + 32]
  EXPECT_MEMORY([rdi + 32], 0x7fffffffffffffff)
END_PROGRAM(IntegersOf64BitsAreExact)

PROGRAM(ComparisonsSetFlags)
  fld1
  fldz
  fcomi st, st(1)
  EXPECT_FLAGS(STATUS, CF)
  fcomi st, st(0)
  EXPECT_FLAGS(STATUS, ZF)
  fxch
  fcomip st, st(1)
  EXPECT_FLAGS(STATUS, 0)
  fstp st(0)
  fninit
END_PROGRAM(ComparisonsSetFlags)

PROGRAM(ComparisonsWithNansAreUnordered)
  fninit
  mov dword ptr [rdi], 0x7fc00000  // quiet
  fld1
  fld dword ptr [rdi]
  fucomi st, st(1)
  EXPECT_FLAGS(STATUS, ZF | PF | CF)
  EXPECT_STATUS(0x0001, 0)       // a quiet NaN is no offence to FUCOM
  fcom st(1)
  EXPECT_STATUS(0x4501, 0x4501)  // to FCOM it is
  fninit
END_PROGRAM(ComparisonsWithNansAreUnordered)

PROGRAM(ClassesOfNumbers)
  fninit
  fxam                           // empty
  EXPECT_STATUS(0x4500, 0x4100)
  fldz
  fchs
  fxam                           // zero, and negative
  EXPECT_STATUS(0x4700, 0x4200)
  fstp st(0)
  fld1
  fxam
  EXPECT_STATUS(0x4700, 0x0400)
  fstp st(0)
  mov dword ptr [rdi], 0x7f800000
  fld dword ptr [rdi]
  fxam
  EXPECT_STATUS(0x4700, 0x0500)
  fstp st(0)
  mov qword ptr [rdi], 1
  mov word ptr [rdi + 8], 0
  fld tbyte ptr [rdi]
  fxam                           // denormal
  EXPECT_STATUS(0x4700, 0x4400)
  fstp st(0)
  mov word ptr [rdi + 8], 0x3fff // an unnormal: not supported
  fld tbyte ptr [rdi]
  fxam
  EXPECT_STATUS(0x4700, 0)
  fninit
END_PROGRAM(ClassesOfNumbers)

PROGRAM(DivisionByZero)
  fninit
  fld1
  fldz
  fchs
  fdivp st(1), st
  EXPECT_STATUS(0x003f, 0x0004)
  fstp dword ptr [rdi]
  EXPECT_MEMORY([rdi], 0xff800000)
  fninit
END_PROGRAM(DivisionByZero)

PROGRAM(DenormalsAreToldAndKept)
  fninit
  mov dword ptr [rdi], 1         // the least float
  fld dword ptr [rdi]
  EXPECT_STATUS(0x003f, 0x0002)
  fstp tbyte ptr [rdi + 16]
  EXPECT_REAL80(rdi + 16, 0x8000000000000000, 0x3f6a)
  fld tbyte ptr [rdi + 16]
  fmul dword ptr [rip + 9f]      // half of it
  fstp dword ptr [rdi]           // a tie, to even: zero
  EXPECT_STATUS(0x0030, 0x0030)
  EXPECT_MEMORY([rdi], 0)
  xor eax, eax
  ret
9:
  .long 0x3f000000
END_PROGRAM(DenormalsAreToldAndKept)

PROGRAM(StoreOfAFloatOverflows)
  fninit
  movabs rax, 0x47f0000000000000 // 2^128
  mov [rdi], rax
  fld qword ptr [rdi]
  fst dword ptr [rdi + 8]
  EXPECT_STATUS(0x0028, 0x0028)
  EXPECT_MEMORY([rdi + 8], 0x7f800000)
  CONTROL(0x0f7f)                // towards zero it is the greatest float
  fstp dword ptr [rdi + 8]
  EXPECT_MEMORY([rdi + 8], 0x7f7fffff)
  CONTROL(0x037f)
END_PROGRAM(StoreOfAFloatOverflows)

PROGRAM(PartialRemainders)
  fninit
  fld qword ptr [rip + 9f]       // 3
  fld qword ptr [rip + 8f]       // 20
  fprem
  EXPECT_STATUS(0x4700, 0x4100)  // 6 times: the quotient's low bits are C0, C3, C1
  fstp qword ptr [rdi]
  EXPECT_MEMORY([rdi], 0x4000000000000000)
  fld qword ptr [rip + 8f]
  fprem1                         // to the nearest: 7 times
  EXPECT_STATUS(0x4700, 0x4300)
  fstp qword ptr [rdi]
  EXPECT_MEMORY([rdi], 0xbff0000000000000)
  fstp st(0)
  xor eax, eax
  ret
8:
  .quad 0x4034000000000000
9:
  .quad 0x4008000000000000
END_PROGRAM(PartialRemainders)

PROGRAM(ScaleAndExtract)
  fninit
  mov dword ptr [rdi], 5
  fild dword ptr [rdi]
  fld1
  fscale
  fstp dword ptr [rdi]
  EXPECT_MEMORY([rdi], 0x42000000)  // 32
  fxtract                        // 5 is 1.25 times 2^2
  fstp dword ptr [rdi]
  EXPECT_MEMORY([rdi], 0x3fa00000)
  fistp dword ptr [rdi]
  EXPECT_MEMORY([rdi], 2)
  fninit
END_PROGRAM(ScaleAndExtract)

PROGRAM(Decimals)
  fninit
  mov rax, -1234567890
  mov [rdi], rax
  fild qword ptr [rdi]
  fbstp tbyte ptr [rdi + 16]
  EXPECT_REAL80(rdi + 16, 0x0000001234567890, 0x8000)
  fbld tbyte ptr [rdi + 16]
  fistp qword ptr [rdi + 32]
  EXPECT_MEMORY([rdi + 32], 0xffffffffb669fd2e)
END_PROGRAM(Decimals)

PROGRAM(TheStackTurnsWithoutMovingValues)
  fninit
  fld1
  fldz
  fincstp
  EXPECT_STATUS(0x3800, 0x3800)
  fdecstp
  fxch
  fst dword ptr [rdi]
  EXPECT_MEMORY([rdi], 0x3f800000)
  ffree st(0)
  fxam
  EXPECT_STATUS(0x4500, 0x4100)
  fninit
END_PROGRAM(TheStackTurnsWithoutMovingValues)

PROGRAM(ConditionalMoves)
  fninit
  fldz
  fld1
  stc
  fcmovnb st, st(1)
  fst dword ptr [rdi]
  EXPECT_MEMORY([rdi], 0x3f800000)
  stc
  fcmovb st, st(1)
  fst dword ptr [rdi]
  EXPECT_MEMORY([rdi], 0)
  fninit
END_PROGRAM(ConditionalMoves)

PROGRAM(StateIsSavedAndRestored)
  fninit
  fldpi
  fld1
  CONTROL(0x0c7f)
  fnsave [rdi]
  EXPECT_STATUS(0xffff, 0)       // saving initialises
  fnstcw word ptr [rdi + 512]
  cmp word ptr [rdi + 512], 0x37f
  FAIL_UNLESS(e)
  cmp word ptr [rdi], 0x0c7f
  FAIL_UNLESS(e)
  cmp word ptr [rdi + 8], 0x0fff // tags: registers 7 (pi) and 6 (1) are valid
  FAIL_UNLESS(e)
  frstor [rdi]
  fstp st(0)
  fstp tbyte ptr [rdi + 256]
  EXPECT_REAL80(rdi + 256, 0xc90fdaa22168c235, 0x4000)
  fninit
END_PROGRAM(StateIsSavedAndRestored)

PROGRAM(SaveAreaOfFxsave)
  fninit
  fld1
  fxsave64 [rdi]
  cmp word ptr [rdi], 0x37f
  FAIL_UNLESS(e)
  cmp byte ptr [rdi + 4], 0x80   // register 7 is in use
  FAIL_UNLESS(e)
  EXPECT_REAL80(rdi + 32, 0x8000000000000000, 0x3fff)
  cmp dword ptr [rdi + 24], 0x1f80
  FAIL_UNLESS(e)
  fninit
  fxrstor64 [rdi]
  fstp dword ptr [rdi]
  cmp dword ptr [rdi], 0x3f800000
  FAIL_UNLESS(e)
  fninit
END_PROGRAM(SaveAreaOfFxsave)

PROGRAM(ConstantsAreRoundedAsAsked)
  CONTROL(0x0f7f)                // towards zero
  fldpi
  fstp tbyte ptr [rdi]
  CONTROL(0x037f)
  EXPECT_REAL80(rdi, 0xc90fdaa22168c234, 0x4000)
END_PROGRAM(ConstantsAreRoundedAsAsked)

PROGRAM(SineOfHugeNumbersIsRefused)
  fninit
  movabs rax, 0x43e0000000000000 // 2^63
  mov [rdi], rax
  fld qword ptr [rdi]
  fsin
  EXPECT_STATUS(0x0400, 0x0400)
  fstp qword ptr [rdi + 8]
  EXPECT_MEMORY([rdi + 8], 0x43e0000000000000)
END_PROGRAM(SineOfHugeNumbersIsRefused)

PROGRAM(MmxAliasesSignificands)
  fninit
  movabs rax, 0x1122334455667788
  movq mm3, rax
  fnstenv [rdi]
  cmp word ptr [rdi + 8], 0x5595 // none is empty: zeros, and one that is no number
  FAIL_UNLESS(e)
  EXPECT_STATUS(0x3800, 0)
  fstp tbyte ptr [rdi]           // mm0
  fstp tbyte ptr [rdi]
  fstp tbyte ptr [rdi]
  fstp tbyte ptr [rdi]           // mm3
  EXPECT_REAL80(rdi, 0x1122334455667788, 0xffff)
  emms
  fnstenv [rdi]
  cmp word ptr [rdi + 8], 0xffff
  FAIL_UNLESS(e)
  fninit
END_PROGRAM(MmxAliasesSignificands)

PROGRAM(EnvironmentOf16Bits)
  fninit
  fldz
  .byte 0x66, 0xd9, 0x37         // fnstenv of 14 bytes
  cmp word ptr [rdi], 0x37f
  FAIL_UNLESS(e)
  cmp word ptr [rdi + 2], 0x3800
  FAIL_UNLESS(e)
  cmp word ptr [rdi + 4], 0x7fff
  FAIL_UNLESS(e)
  cmp word ptr [rdi + 14], 0
  FAIL_UNLESS(e)
  fninit
  .byte 0x66, 0xd9, 0x27         // fldenv
  EXPECT_STATUS(0x3800, 0x3800)
  fninit
END_PROGRAM(EnvironmentOf16Bits)

PROGRAM(StoreThatRaisesNoStackFault)
  fninit
  .byte 0xd9, 0xd9               // fstpnce st(1): of an empty stack, pops all the same
  EXPECT_STATUS(0x3841, 0x0800)
  fninit
END_PROGRAM(StoreThatRaisesNoStackFault)

  .section .note.GNU-stack, "", @progbits
