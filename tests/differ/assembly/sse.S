// SSE to SSE4.2, AES and PCLMULQDQ: rounding, denormals, NaNs, conversions out of range, known answers. SDM 1, chapters
// 10 to 12; FIPS 197.
#include "tests/differ/assembly/program.inc"

#define MXCSR(value)                                                                                               \
  mov dword ptr [rdi + 4000], value;                                                                               \
  ldmxcsr dword ptr [rdi + 4000]

// Exceptions so far: IE 1, DE 2, ZE 4, OE 8, UE 0x10, PE 0x20.
#define EXPECT_EXCEPTIONS(value)                                                                                   \
  stmxcsr dword ptr [rdi + 4000];                                                                                  \
  mov eax, [rdi + 4000];                                                                                           \
  and eax, 0x3f;                                                                                                   \
  cmp eax, value;                                                                                                  \
  FAIL_UNLESS(e)

PROGRAM(RoundingModesOfConversions)
  movabs rax, 0x4004000000000000 // 2.5
  movq xmm0, rax
  movabs rax, 0xc004000000000000
  movq xmm1, rax
  MXCSR(0x1f80)
  cvtsd2si rax, xmm0
  EXPECT(rax, 2)
  MXCSR(0x3f80)                  // down
  cvtsd2si rax, xmm1
  EXPECT(rax, 0xfffffffffffffffd)
  MXCSR(0x5f80)                  // up
  cvtsd2si rax, xmm0
  EXPECT(rax, 3)
  MXCSR(0x7f80)                  // towards zero
  cvtsd2si rax, xmm1
  EXPECT(rax, 0xfffffffffffffffe)
  MXCSR(0x5f80)
  cvttsd2si rax, xmm0            // always towards zero
  EXPECT(rax, 2)
  MXCSR(0x1f80)
  roundsd xmm2, xmm0, 2          // up, whatever MXCSR says
  EXPECT_LOW(xmm2, 0x4008000000000000)
END_PROGRAM(RoundingModesOfConversions)

PROGRAM(ConversionsOutOfRangeAreIndefinite)
  MXCSR(0x1f80)
  movabs rax, 0x41e0000000000000 // 2^31
  movq xmm0, rax
  cvtsd2si eax, xmm0
  EXPECT(rax, 0x80000000)
  EXPECT_EXCEPTIONS(1)
  cvttsd2si rax, xmm0
  EXPECT(rax, 0x80000000)        // fits 64 bits
  movabs rax, 0x7ff8000000000000
  movq xmm0, rax
  cvttsd2si rax, xmm0
  EXPECT(rax, 0x8000000000000000)
  MXCSR(0x1f80)
END_PROGRAM(ConversionsOutOfRangeAreIndefinite)

PROGRAM(ExceptionsStick)
  MXCSR(0x1f80)
  mov eax, 0x3f800000
  movd xmm0, eax
  xorps xmm1, xmm1
  divss xmm0, xmm1
  EXPECT_EXCEPTIONS(4)
  addss xmm1, xmm1
  EXPECT_EXCEPTIONS(4)
  EXPECT_LOW(xmm0, 0x7f800000)
  MXCSR(0x1f80)
  EXPECT_EXCEPTIONS(0)
END_PROGRAM(ExceptionsStick)

PROGRAM(DenormalsByTheirModes)
  mov eax, 1                     // the least float
  movd xmm0, eax
  mov eax, 0x3f800000
  movd xmm1, eax
  MXCSR(0x1f80)
  movaps xmm2, xmm0
  mulss xmm2, xmm1
  EXPECT_LOW(xmm2, 1)
  EXPECT_EXCEPTIONS(2)
  MXCSR(0x1fc0)                  // denormals are zeros
  movaps xmm2, xmm0
  mulss xmm2, xmm1
  EXPECT_LOW(xmm2, 0)
  EXPECT_EXCEPTIONS(0)
  MXCSR(0x9f80)                  // results that would be denormal are flushed
  mov eax, 0x00800000            // the least normal float
  movd xmm2, eax
  mov eax, 0x3f000000
  movd xmm3, eax
  mulss xmm2, xmm3
  EXPECT_LOW(xmm2, 0)
  EXPECT_EXCEPTIONS(0x30)
  MXCSR(0x1f80)
END_PROGRAM(DenormalsByTheirModes)

PROGRAM(NansKeepTheirPayloadAndTurnQuiet)
  MXCSR(0x1f80)
  mov eax, 0x7f812345            // signalling
  movd xmm0, eax
  mov eax, 0x7fc54321            // quiet
  movd xmm1, eax
  movaps xmm2, xmm1
  addss xmm2, xmm0               // the first operand, if both are NaNs
  EXPECT_LOW(xmm2, 0x7fc54321)
  EXPECT_EXCEPTIONS(1)
  movaps xmm2, xmm0
  addss xmm2, xmm1
  EXPECT_LOW(xmm2, 0x7fc12345)
  movaps xmm2, xmm0
  minss xmm2, xmm1               // the second operand, as it is
  EXPECT_LOW(xmm2, 0x7fc54321)
  movaps xmm2, xmm1
  maxss xmm2, xmm0
  EXPECT_LOW(xmm2, 0x7f812345)
  MXCSR(0x1f80)
END_PROGRAM(NansKeepTheirPayloadAndTurnQuiet)

PROGRAM(MinimumOfZerosIsTheSecond)
  xorps xmm0, xmm0
  mov eax, 0x80000000
  movd xmm1, eax
  movaps xmm2, xmm0
  minss xmm2, xmm1
  EXPECT_LOW(xmm2, 0x80000000)
  movaps xmm2, xmm1
  minss xmm2, xmm0
  EXPECT_LOW(xmm2, 0)
END_PROGRAM(MinimumOfZerosIsTheSecond)

PROGRAM(ComparisonsSetFlags)
  MXCSR(0x1f80)
  mov eax, 0x3f800000
  movd xmm0, eax
  xorps xmm1, xmm1
  comiss xmm0, xmm1
  EXPECT_FLAGS(STATUS, 0)
  comiss xmm1, xmm0
  EXPECT_FLAGS(STATUS, CF)
  comiss xmm0, xmm0
  EXPECT_FLAGS(STATUS, ZF)
  mov eax, 0x7fc00000
  movd xmm1, eax
  ucomiss xmm0, xmm1
  EXPECT_FLAGS(STATUS, ZF | PF | CF)
  EXPECT_EXCEPTIONS(0)
  comiss xmm0, xmm1
  EXPECT_EXCEPTIONS(1)
  cmpunordss xmm1, xmm0
  EXPECT_LOW(xmm1, 0xffffffff)
  MXCSR(0x1f80)
END_PROGRAM(ComparisonsSetFlags)

PROGRAM(ScalarMovesKeepOrClearTheRest)
  LOAD_XMM(xmm0, 0x1111111122222222, 0x3333333344444444)
  LOAD_XMM(xmm1, 0x5555555566666666, 0x7777777788888888)
  movss xmm0, xmm1
  EXPECT_LOW(xmm0, 0x1111111166666666)
  movsd xmm0, xmm1
  EXPECT_LOW(xmm0, 0x5555555566666666)
  EXPECT_HIGH(xmm0, 0x3333333344444444)
  mov dword ptr [rdi], 9
  movss xmm0, [rdi]
  EXPECT_LOW(xmm0, 9)
  EXPECT_HIGH(xmm0, 0)
END_PROGRAM(ScalarMovesKeepOrClearTheRest)

PROGRAM(SaturatingPacks)
  LOAD_XMM(xmm0, 0x7fff80000100ff00, 0x0080ff7fff80007f)
  packsswb xmm0, xmm0
  EXPECT_LOW(xmm0, 0x7f80807f7f807f80)
  LOAD_XMM(xmm0, 0x7fff80000100ff00, 0x0080ff7fff80007f)
  packuswb xmm0, xmm0
  EXPECT_LOW(xmm0, 0x8000007fff00ff00)
END_PROGRAM(SaturatingPacks)

PROGRAM(ShufflesOfBytes)
  LOAD_XMM(xmm0, 0x0706050403020100, 0x0f0e0d0c0b0a0908)
  LOAD_XMM(xmm1, 0x0001020304050607, 0x80ff1f0f00000000)
  pshufb xmm0, xmm1
  EXPECT_LOW(xmm0, 0x0001020304050607)
  EXPECT_HIGH(xmm0, 0x00000f0f00000000)
  LOAD_XMM(xmm0, 0x0706050403020100, 0x0f0e0d0c0b0a0908)
  palignr xmm0, xmm0, 3
  EXPECT_LOW(xmm0, 0x0a09080706050403)
  palignr xmm0, xmm0, 32
  EXPECT_LOW(xmm0, 0)
END_PROGRAM(ShufflesOfBytes)

PROGRAM(VectorShiftsByTooMuchGiveZeroOrSigns)
  LOAD_XMM(xmm0, 0x8000000180000001, 0x7fffffff00000001)
  LOAD_XMM(xmm1, 64, 0)
  movaps xmm2, xmm0
  psrld xmm2, xmm1
  EXPECT_LOW(xmm2, 0)
  movaps xmm2, xmm0
  psrad xmm2, xmm1
  EXPECT_LOW(xmm2, 0xffffffffffffffff)
  EXPECT_HIGH(xmm2, 0)
  pslldq xmm0, 9
  EXPECT_HIGH(xmm0, 0x0000018000000100)
END_PROGRAM(VectorShiftsByTooMuchGiveZeroOrSigns)

PROGRAM(MaskedStoreWritesWhatIsMarked)
  LOAD_XMM(xmm0, 0x1122334455667788, 0x99aabbccddeeff00)
  LOAD_XMM(xmm1, 0x8000000000000080, 0)
  maskmovdqu xmm0, xmm1
  EXPECT_MEMORY([rdi], 0x1100000000000088)
  EXPECT_MEMORY([rdi + 8], 0)
END_PROGRAM(MaskedStoreWritesWhatIsMarked)

PROGRAM(ChecksumOfKnownBytes)
  // CRC-32C of "123456789" is e3069283 (RFC 3720, B.4 names the polynomial).
  mov eax, -1
  movabs rbx, 0x3837363534333231
  crc32 rax, rbx
  mov bl, 0x39
  crc32 eax, bl
  not eax
  EXPECT(rax, 0xe3069283)
END_PROGRAM(ChecksumOfKnownBytes)

PROGRAM(StringComparisonFindsTheTerminator)
  LOAD_XMM(xmm0, 0x0000006f6c6c6568, 0)  // "hello"
  LOAD_XMM(xmm1, 0x00006f6c6c656868, 0)  // "hhello"
  pcmpistri xmm0, xmm1, 0x0c     // ordered: where does it begin
  EXPECT_FLAGS(STATUS, CF | ZF | SF)
  EXPECT(rcx, 1)
  pcmpistri xmm0, xmm1, 0x18     // equal each, negated: the first that differs
  EXPECT(rcx, 1)
  mov eax, 3
  mov edx, 4
  pcmpestri xmm0, xmm1, 0x00     // any of "hel" in "hhel"
  EXPECT(rcx, 0)
  pcmpestrm xmm0, xmm1, 0x40     // as a mask of bytes
  EXPECT_LOW(xmm0, 0xffffffff)
END_PROGRAM(StringComparisonFindsTheTerminator)

PROGRAM(RoundOfTheCipher)
  // FIPS 197, appendix B: round 1 of its example.
  LOAD_XMM(xmm0, 0x2be2f4a0bee33d19, 0x0848f8e92a8dc69a)
  LOAD_XMM(xmm1, 0xb12c548817fefaa0, 0x05766c2a3939a323)
  aesenc xmm0, xmm1
  EXPECT_LOW(xmm0, 0x2b359f68f27f9ca4)
  EXPECT_HIGH(xmm0, 0x49506a0243ea5b6b)
END_PROGRAM(RoundOfTheCipher)

PROGRAM(RoundKeyOfTheCipher)
  // FIPS 197, appendix A.1: the words 1 and 3 of its key, rotated, substituted, with the round's constant.
  LOAD_XMM(xmm0, 0xa6d2ae2816157e2b, 0x3c4fcf098815f7ab)
  aeskeygenassist xmm1, xmm0, 1
  EXPECT_LOW(xmm1, 0x3424b5e524b5e434)
  EXPECT_HIGH(xmm1, 0x01eb848beb848a01)
END_PROGRAM(RoundKeyOfTheCipher)

PROGRAM(DecipheringUndoesTheRound)
  LOAD_XMM(xmm0, 0x2be2f4a0bee33d19, 0x0848f8e92a8dc69a)
  pxor xmm1, xmm1
  aesenclast xmm0, xmm1
  aesdeclast xmm0, xmm1
  EXPECT_LOW(xmm0, 0x2be2f4a0bee33d19)
  EXPECT_HIGH(xmm0, 0x0848f8e92a8dc69a)
END_PROGRAM(DecipheringUndoesTheRound)

PROGRAM(CarrylessProduct)
  LOAD_XMM(xmm0, 3, 0x8000000000000000)
  LOAD_XMM(xmm1, 5, 0x8000000000000000)
  movdqa xmm2, xmm0
  pclmulqdq xmm2, xmm1, 0x00     // (x + 1)(x² + 1)
  EXPECT_LOW(xmm2, 15)
  pclmulqdq xmm0, xmm1, 0x11
  EXPECT_LOW(xmm0, 0)
  EXPECT_HIGH(xmm0, 0x4000000000000000)
END_PROGRAM(CarrylessProduct)

PROGRAM(DotProductOfChosenElements)
  MXCSR(0x1f80)
  LOAD_XMM(xmm0, 0x400000003f800000, 0x4080000040400000)  // 1 2 3 4
  movaps xmm1, xmm0
  dpps xmm1, xmm0, 0x71          // the first three, to the first place
  EXPECT_LOW(xmm1, 0x41600000)   // 14
  EXPECT_HIGH(xmm1, 0)
  insertps xmm0, xmm0, 0xd8      // the fourth to the second place, clearing the fourth
  EXPECT_LOW(xmm0, 0x408000003f800000)
  EXPECT_HIGH(xmm0, 0x40400000)
END_PROGRAM(DotProductOfChosenElements)

PROGRAM(SmallestOfEightWords)
  LOAD_XMM(xmm0, 0x0005000400030009, 0x0008000700030006)
  phminposuw xmm1, xmm0
  EXPECT_LOW(xmm1, 0x10003)
  EXPECT_HIGH(xmm1, 0)
END_PROGRAM(SmallestOfEightWords)

PROGRAM(StreamingStoresArrive)
  LOAD_XMM(xmm0, 0x1122334455667788, 0x99aabbccddeeff00)
  and rdi, -16
  movntdq [rdi], xmm0
  mov eax, 7
  movnti [rdi + 16], eax
  sfence
  EXPECT_MEMORY([rdi + 8], 0x99aabbccddeeff00)
  EXPECT_MEMORY([rdi + 16], 7)
END_PROGRAM(StreamingStoresArrive)

PROGRAM(ManyShortStretchesOfCodeLeaveExceptionsAlone)
  // Each jump begins another stretch. Who runs them has its own floating point to do, not in this MXCSR.
  MXCSR(0x1f80)
  .rept 1500
  .byte 0xeb, 0
  .endr
  EXPECT_EXCEPTIONS(0)
END_PROGRAM(ManyShortStretchesOfCodeLeaveExceptionsAlone)

  .section .note.GNU-stack, "", @progbits
