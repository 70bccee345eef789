#include "tests/differ/instruction.h"

#include <algorithm>

#include "tests/differ/values.h"
#include "vmm/result/check.h"

namespace qm::differ {

namespace {

struct Writer {
  std::array<std::uint8_t, 24> bytes{};
  std::size_t length = 0;

  void put(unsigned value) { bytes[length++] = static_cast<std::uint8_t>(value); }
};

void putDecorations(Writer& to, const Form& form, Random& random) {
  if (random.oneIn(24)) to.put(0x67);  // 32-bit addresses
  if (random.oneIn(12)) to.put(random.pick(std::array<unsigned, 6>{0x64, 0x65, 0x64, 0x65, 0x2e, 0x3e}));
  if (random.oneIn(64)) to.put(random.pick(std::array<unsigned, 4>{0x26, 0x36, 0x2e, 0x3e}));
  const bool repeatable =
      !form.vex && form.map == OpcodeMap::one && (form.opcode & 0xf4U) == 0xa4;  // string operations
  if (form.prefix == Mandatory::none && repeatable && random.oneIn(3)) to.put(random.oneIn(2) ? 0xf3 : 0xf2);
  if (form.lock) to.put(0xf0);
}

void putOpcode(Writer& to, const Form& form, Random& random) {
  const unsigned rxb = static_cast<unsigned>(random.oneIn(2) ? random.below(8) : 0);
  const unsigned prefix[] = {0, 1, 3, 2};  // VEX.pp of none, 66, F2, F3
  if (form.vex) {
    const unsigned vvvv = random.oneIn(2) ? 15U : static_cast<unsigned>(random.below(16));
    to.put(0xc4);
    to.put((7U - rxb) << 5U | static_cast<unsigned>(form.map));
    to.put((form.w ? 0x80U : 0U) | vvvv << 3U | (form.l ? 4U : 0U) | prefix[static_cast<std::size_t>(form.prefix)]);
  } else {
    if (form.prefix == Mandatory::x66 || form.prefix == Mandatory::x66f2) to.put(0x66);
    if (form.prefix == Mandatory::xf2 || form.prefix == Mandatory::x66f2) to.put(0xf2);
    if (form.prefix == Mandatory::xf3) to.put(0xf3);
    const bool rex = form.w || rxb != 0 || random.oneIn(8);  // an empty REX selects spl..dil
    if (rex) to.put(0x40U | (form.w ? 8U : 0U) | rxb);
    if (form.map != OpcodeMap::one) to.put(0x0f);
    if (form.map == OpcodeMap::x0f38) to.put(0x38);
    if (form.map == OpcodeMap::x0f3a) to.put(0x3a);
  }
  to.put(form.opcode);
}

void putModRm(Writer& to, const Form& form, Codec::Addressing addressing, Random& random) {
  const unsigned reg = form.reg ? *form.reg : static_cast<unsigned>(random.below(8));
  const unsigned rm = form.rm ? *form.rm : static_cast<unsigned>(random.below(8));
  if (form.modRm == ModRm::registers) {
    to.put(0xc0U | reg << 3U | rm);
  } else if (addressing == Codec::Addressing::withoutRegisters) {
    to.put(reg << 3U | 5U);  // rip and a displacement
  } else {
    // SIB and displacement follow from here; all their values are addresses.
    to.put(static_cast<unsigned>(random.below(3)) << 6U | reg << 3U | rm);
    to.put(random.byte());
  }
}

// Zydis 4.0 takes an SIB byte with base 5, mod 0 and REX.B for a base of r13d when addresses have 32 bits. There is no
// base then, and a displacement (SDM 2A, table 2-3; 2.2.1.2: REX.B is not looked at). What it believed could lead a
// case out of the sandbox.
void correctAddress(Instruction& decoded) {
  const auto& raw = decoded.info.raw;
  const bool hasNoBase = decoded.has(ZYDIS_ATTRIB_HAS_SIB) && raw.modrm.mod == 0 && raw.sib.base == 5;
  if (!hasNoBase) return;
  for (ZydisDecodedOperand& operand : std::span(decoded.operandStore).first(decoded.info.operand_count_visible)) {
    if (operand.type != ZYDIS_OPERAND_TYPE_MEMORY) continue;
    operand.mem.base = ZYDIS_REGISTER_NONE;
    operand.mem.disp.has_displacement = 1;
    operand.mem.disp.value = raw.disp.value;
  }
}

}  // namespace

Codec::Codec() {
  CHECK(ZYAN_SUCCESS(ZydisDecoderInit(&decoder_, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64)));
  CHECK(ZYAN_SUCCESS(ZydisFormatterInit(&formatter_, ZYDIS_FORMATTER_STYLE_INTEL)));
}

std::optional<Instruction> Codec::decode(std::span<const std::uint8_t, ZYDIS_MAX_INSTRUCTION_LENGTH> bytes) const {
  Instruction decoded;
  std::ranges::copy(bytes, decoded.bytes.begin());
  const ZyanStatus status =
      ZydisDecoderDecodeFull(&decoder_, bytes.data(), bytes.size(), &decoded.info, decoded.operandStore.data());
  if (!ZYAN_SUCCESS(status)) return {};
  correctAddress(decoded);
  return decoded;
}

std::optional<Instruction> Codec::instantiate(const Form& form, Random& random, Addressing addressing) const {
  Writer writer;
  putDecorations(writer, form, random);
  putOpcode(writer, form, random);
  if (form.modRm != ModRm::absent) putModRm(writer, form, addressing, random);
  // The decoder takes as many of these as it needs for displacement and immediate.
  const std::uint64_t immediate = random.oneIn(2) ? interestingInteger(random) : random.next();
  for (unsigned i = 0; writer.length < writer.bytes.size(); ++i)
    writer.put(static_cast<unsigned>(immediate >> (8 * (i % 8)) & 0xffU));
  return decode(std::span(writer.bytes).first<ZYDIS_MAX_INSTRUCTION_LENGTH>());
}

std::string Codec::text(const Instruction& instruction, std::uint64_t address) const {
  std::array<char, 256> buffer{};
  const ZyanStatus status = ZydisFormatterFormatInstruction(
      &formatter_, &instruction.info, instruction.operandStore.data(), instruction.info.operand_count_visible,
      buffer.data(), buffer.size(), address, nullptr);
  return ZYAN_SUCCESS(status) ? buffer.data() : "(not to be formatted)";
}

void patch(Instruction& instruction, std::size_t offset, unsigned bits, std::uint64_t value) {
  CHECK(offset + bits / 8 <= instruction.info.length);
  for (unsigned i = 0; i < bits / 8; ++i) instruction.bytes[offset + i] = static_cast<std::uint8_t>(value >> (8 * i));
}

}  // namespace qm::differ
