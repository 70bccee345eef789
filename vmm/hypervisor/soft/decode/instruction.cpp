#include "vmm/hypervisor/soft/decode/instruction.h"

#include <Zydis/Register.h>

#include "vmm/hypervisor/soft/cpu/operation.h"
#include "vmm/result/check.h"

namespace qm::soft {

namespace {

ZydisDecoder decoderFor(CodeSize codeSize) {
  ZydisDecoder decoder{};
  ZyanStatus status = 0;
  switch (codeSize) {
    case CodeSize::bits16:
      status = ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_REAL_16, ZYDIS_STACK_WIDTH_16);
      break;
    case CodeSize::bits32:
      status = ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32);
      break;
    case CodeSize::bits64:
      status = ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
      break;
  }
  CHECK(ZYAN_SUCCESS(status));
  return decoder;
}

// A SIB byte without a base (mod 00, base 101; SDM 2A, table 2-3) has none whatever REX.B says. Zydis 4.0 takes it for
// r13d where the address size is 32 bits, and drops the displacement.
void mendMissingBase(Instruction& instruction) {
  const auto& raw = instruction.raw.raw;
  const bool hasNoBase = raw.modrm.mod == 0 && raw.modrm.rm == 4 && raw.sib.base == 5;
  if (!hasNoBase) return;
  for (Operand& operand : std::span(instruction.operands).first(instruction.raw.operand_count)) {
    if (!isMemory(operand) || operand.mem.base != ZYDIS_REGISTER_R13D) continue;
    operand.mem.base = ZYDIS_REGISTER_NONE;
    operand.mem.disp = {.has_displacement = ZYAN_TRUE, .value = raw.disp.value};
  }
}

}  // namespace

DecodeFailure decode(std::span<const std::byte> bytes, CodeSize codeSize, Instruction& instruction) {
  static const std::array<ZydisDecoder, 3> kDecoders{decoderFor(CodeSize::bits16), decoderFor(CodeSize::bits32),
                                                     decoderFor(CodeSize::bits64)};
  instruction.codeSize = codeSize;
  const ZydisDecoder& decoder = kDecoders[static_cast<std::size_t>(codeSize)];
  ZydisDecoderContext context{};
  ZyanStatus status = ZydisDecoderDecodeInstruction(&decoder, &context, bytes.data(), bytes.size(), &instruction.raw);
  if (status == ZYDIS_STATUS_NO_MORE_DATA) return DecodeFailure::tooFewBytes;
  if (status == ZYDIS_STATUS_INSTRUCTION_TOO_LONG) return DecodeFailure::tooLong;
  if (!ZYAN_SUCCESS(status)) return DecodeFailure::invalid;
  status = ZydisDecoderDecodeOperands(&decoder, &context, &instruction.raw, instruction.operands.data(),
                                      instruction.raw.operand_count);
  if (!ZYAN_SUCCESS(status)) return DecodeFailure::invalid;
  mendMissingBase(instruction);
  return DecodeFailure::none;
}

bool namesRegister(const Instruction& instruction, ZydisRegisterClass kind) {
  for (std::size_t i = 0; i < instruction.explicitOperands(); ++i) {
    const Operand& operand = instruction.operand(i);
    if (isRegister(operand) && ZydisRegisterGetClass(operand.reg.value) == kind) return true;
  }
  return false;
}

bool usesVectorUnit(const Instruction& instruction) {
  // SDM 2A, 2.4: the exception classes; CVTPI2PS and its like have none.
  const ZydisExceptionClass kind = instruction.raw.meta.exception_class;
  const bool isOfSse = kind >= ZYDIS_EXCEPTION_CLASS_SSE1 && kind <= ZYDIS_EXCEPTION_CLASS_SSE7;
  return isOfSse || namesRegister(instruction, ZYDIS_REGCLASS_XMM);
}

bool isVexOfVectors(const Instruction& instruction) {
  const ZydisExceptionClass kind = instruction.raw.meta.exception_class;
  return instruction.raw.encoding == ZYDIS_INSTRUCTION_ENCODING_VEX && kind >= ZYDIS_EXCEPTION_CLASS_AVX1 &&
         kind <= ZYDIS_EXCEPTION_CLASS_AVX12;
}

std::uint8_t registerPlace(ZydisRegister which) {
  const bool isHighByte = which >= ZYDIS_REGISTER_AH && which <= ZYDIS_REGISTER_BH;
  if (isHighByte) return static_cast<std::uint8_t>((which - ZYDIS_REGISTER_AH) * 8 + 1);
  return static_cast<std::uint8_t>(addressRegister(which) * 8);
}

std::uint8_t addressRegister(ZydisRegister which) {
  if (which == ZYDIS_REGISTER_NONE) return kNoRegister;
  if (which == ZYDIS_REGISTER_RIP || which == ZYDIS_REGISTER_EIP) return kBlockRip;
  // Zydis counts al cl dl bl ah ch dh bh spl bpl sil dil r8b…; the others straight.
  if (which >= ZYDIS_REGISTER_AL && which <= ZYDIS_REGISTER_BL)
    return static_cast<std::uint8_t>(which - ZYDIS_REGISTER_AL);
  if (which >= ZYDIS_REGISTER_SPL && which <= ZYDIS_REGISTER_R15B)
    return static_cast<std::uint8_t>(which - ZYDIS_REGISTER_SPL + 4);
  if (which >= ZYDIS_REGISTER_AX && which <= ZYDIS_REGISTER_R15W)
    return static_cast<std::uint8_t>(which - ZYDIS_REGISTER_AX);
  if (which >= ZYDIS_REGISTER_EAX && which <= ZYDIS_REGISTER_R15D)
    return static_cast<std::uint8_t>(which - ZYDIS_REGISTER_EAX);
  CHECK(which >= ZYDIS_REGISTER_RAX && which <= ZYDIS_REGISTER_R15);
  return static_cast<std::uint8_t>(which - ZYDIS_REGISTER_RAX);
}

SegmentName segmentName(ZydisRegister which) {
  switch (which) {
    case ZYDIS_REGISTER_ES:
      return SegmentName::es;
    case ZYDIS_REGISTER_CS:
      return SegmentName::cs;
    case ZYDIS_REGISTER_SS:
      return SegmentName::ss;
    case ZYDIS_REGISTER_FS:
      return SegmentName::fs;
    case ZYDIS_REGISTER_GS:
      return SegmentName::gs;
    default:
      return SegmentName::ds;
  }
}

std::uint8_t registerNumber(ZydisRegister which) {
  const ZyanI8 id = ZydisRegisterGetId(which);
  CHECK(id >= 0);
  return static_cast<std::uint8_t>(id);
}

}  // namespace qm::soft
