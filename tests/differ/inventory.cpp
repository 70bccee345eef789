#include "tests/differ/inventory.h"

#include <algorithm>
#include <utility>

#include "vmm/result/check.h"

namespace qm::differ {

namespace {

struct Decoded {
  ZydisDecodedInstruction instruction;
  std::array<ZydisDecodedOperand, ZYDIS_MAX_OPERAND_COUNT> operands;
};

std::optional<Decoded> decode(const ZydisDecoder& decoder, const Form& form) {
  const auto bytes = exampleOf(form);
  Decoded decoded;
  if (!ZYAN_SUCCESS(
          ZydisDecoderDecodeFull(&decoder, bytes.data(), bytes.size(), &decoded.instruction, decoded.operands.data())))
    return {};
  return decoded;
}

ZydisMnemonic mnemonicOf(const ZydisDecoder& decoder, const Form& form) {
  const auto bytes = exampleOf(form);
  ZydisDecodedInstruction instruction;
  if (!ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(&decoder, nullptr, bytes.data(), bytes.size(), &instruction)))
    return ZYDIS_MNEMONIC_INVALID;
  return instruction.mnemonic;
}

bool hasModRm(const ZydisDecoder& decoder, const Form& form) {
  for (const ModRm kind : {ModRm::memory, ModRm::registers}) {
    for (std::uint8_t reg = 0; reg < 8; ++reg) {
      Form tried = form;
      tried.modRm = kind;
      tried.reg = reg;
      const std::optional<Decoded> decoded = decode(decoder, tried);
      if (decoded) return (decoded->instruction.attributes & ZYDIS_ATTRIB_HAS_MODRM) != 0;
    }
  }
  return true;
}

// Prefixes that change nothing are the generator's to add; strings take theirs as repetition.
bool isOnlyDecorated(const ZydisDecoder& decoder, const Form& form, const ZydisDecodedInstruction& instruction) {
  if (form.vex || form.prefix == Mandatory::none || form.prefix == Mandatory::x66) return false;
  if (instruction.meta.category == ZYDIS_CATEGORY_STRINGOP) return false;
  Form plain = form;
  plain.prefix = form.prefix == Mandatory::x66f2 ? Mandatory::x66 : Mandatory::none;
  return mnemonicOf(decoder, plain) == instruction.mnemonic;
}

// SDM 2A, 2.1.1: 66 on a near branch is model-specific (Intel ignores it, AMD does not).
bool isModelSpecific(const Form& form, const ZydisDecodedInstruction& instruction) {
  return (form.prefix == Mandatory::x66 || form.prefix == Mandatory::x66f2) &&
         instruction.meta.branch_type != ZYDIS_BRANCH_TYPE_NONE;
}

void file(std::vector<Inventory::Entry>& entries, ZydisMnemonic mnemonic, const Form& form) {
  auto entry = std::ranges::find(entries, mnemonic, &Inventory::Entry::mnemonic);
  if (entry == entries.end()) entry = entries.insert(entry, {.mnemonic = mnemonic, .forms = {}});
  entry->forms.push_back(form);
}

std::uint8_t vexPrefixBits(Mandatory prefix) {
  switch (prefix) {
    case Mandatory::none:
      return 0;
    case Mandatory::x66:
      return 1;
    case Mandatory::xf3:
      return 2;
    default:
      return 3;
  }
}

// VPGATHERxx, VGATHERxPx: with an address that has a vector for an index.
bool isGather(const Form& form) {
  return form.vex && form.map == OpcodeMap::x0f38 && form.opcode >> 2U == 0x90U >> 2U;
}

}  // namespace

std::array<std::uint8_t, ZYDIS_MAX_INSTRUCTION_LENGTH> exampleOf(const Form& form) {
  std::array<std::uint8_t, ZYDIS_MAX_INSTRUCTION_LENGTH> bytes{};
  std::size_t length = 0;
  const auto put = [&](unsigned value) { bytes[length++] = static_cast<std::uint8_t>(value); };
  if (form.lock) put(0xf0);
  if (form.vex) {
    put(0xc4);
    put(0xe0U | static_cast<unsigned>(form.map));
    put((form.w ? 0x80U : 0U) | (isGather(form) ? 0x60U : 0x78U) | (form.l ? 4U : 0U) | vexPrefixBits(form.prefix));
  } else {
    if (form.prefix == Mandatory::x66 || form.prefix == Mandatory::x66f2) put(0x66);
    if (form.prefix == Mandatory::xf2 || form.prefix == Mandatory::x66f2) put(0xf2);
    if (form.prefix == Mandatory::xf3) put(0xf3);
    if (form.w) put(0x48);
    if (form.map != OpcodeMap::one) put(0x0f);
    if (form.map == OpcodeMap::x0f38) put(0x38);
    if (form.map == OpcodeMap::x0f3a) put(0x3a);
  }
  put(form.opcode);
  if (isGather(form) && form.modRm == ModRm::memory) {
    put(unsigned{form.reg.value_or(0)} << 3U | 4U);
    put(1U << 3U);
    // Destination, mask and indices are three registers.
    if (form.reg.value_or(0) == 1) bytes[length - 1] = 2U << 3U;
    return bytes;
  }
  if (form.modRm != ModRm::absent)
    put((form.modRm == ModRm::registers ? 0xc0U : 0U) | unsigned{form.reg.value_or(0)} << 3U | form.rm.value_or(0));
  return bytes;
}

Inventory::Inventory() {
  CHECK(ZYAN_SUCCESS(ZydisDecoderInit(&decoder_, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64)));
  constexpr std::array kPrefixes{Mandatory::none, Mandatory::x66, Mandatory::xf2, Mandatory::xf3, Mandatory::x66f2};
  for (const bool w : {false, true}) {
    for (const Mandatory prefix : kPrefixes) {
      for (unsigned opcode = 0; opcode < 256; ++opcode) {
        for (const OpcodeMap map : {OpcodeMap::one, OpcodeMap::x0f, OpcodeMap::x0f38, OpcodeMap::x0f3a}) {
          addOpcode({.map = map, .prefix = prefix, .w = w, .opcode = static_cast<std::uint8_t>(opcode)});
          if (map == OpcodeMap::one || prefix == Mandatory::x66f2) continue;
          for (const bool l : {false, true})
            addOpcode({.map = map,
                       .prefix = prefix,
                       .w = w,
                       .vex = true,
                       .l = l,
                       .opcode = static_cast<std::uint8_t>(opcode)});
        }
      }
    }
  }
}

void Inventory::addOpcode(Form form) {
  // Prefixes and escapes decode as what follows them.
  constexpr std::array<std::uint8_t, 17> kNoOpcode{0x0f, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67,
                                                   0xf0, 0xf2, 0xf3, 0xc4, 0xc5, 0x62, 0x38, 0x3a};
  const auto none = std::ranges::find(kNoOpcode, form.opcode);
  if (form.map == OpcodeMap::one && none < kNoOpcode.end() - 2) return;
  if (form.map == OpcodeMap::one && form.opcode >> 4U == 4) return;
  if (!form.vex && form.map == OpcodeMap::x0f && (form.opcode == 0x38 || form.opcode == 0x3a || form.opcode == 0x0f))
    return;
  if (!hasModRm(decoder_, form)) {
    add(form);
    return;
  }
  addWithModRm(form, ModRm::memory);
  addWithModRm(form, ModRm::registers);
}

// Leaves ModRM.rm, and then ModRM.reg, open where all their values are one instruction.
void Inventory::addWithModRm(Form form, ModRm kind) {
  form.modRm = kind;
  std::array<std::array<ZydisMnemonic, 8>, 8> found;
  for (std::uint8_t reg = 0; reg < 8; ++reg) {
    for (std::uint8_t rm = 0; rm < 8; ++rm) {
      // With mod 0, rm 4 and 5 mean SIB and RIP; neither selects an instruction.
      form.reg = reg;
      form.rm = rm;
      found[reg][rm] = kind == ModRm::registers || rm == 0 ? mnemonicOf(decoder_, form) : found[reg][0];
    }
  }
  const auto isOne = [](const auto& row) { return std::ranges::adjacent_find(row, std::not_equal_to{}) == row.end(); };
  if (isOne(found) && isOne(found[0])) {
    form.reg = form.rm = {};
    add(form);
    return;
  }
  for (std::uint8_t reg = 0; reg < 8; ++reg) {
    form.reg = reg;
    const bool isOpen = isOne(found[reg]);
    const std::uint8_t values = isOpen ? 1 : 8;
    for (std::uint8_t rm = 0; rm < values; ++rm) {
      form.rm = isOpen ? std::nullopt : std::optional(rm);
      add(form);
    }
  }
}

void Inventory::add(const Form& form) {
  const std::optional<Decoded> decoded = decode(decoder_, form);
  if (!decoded) return;
  const ZydisDecodedInstruction& instruction = decoded->instruction;
  if (isOnlyDecorated(decoder_, form, instruction) || isModelSpecific(form, instruction)) return;
  const auto verdict = classify(instruction, decoded->operands.data());
  if (const auto* refusal = std::get_if<Refusal>(&verdict)) {
    file(refused_[*refusal], instruction.mnemonic, form);
    return;
  }
  const bool swapsMemory = instruction.mnemonic == ZYDIS_MNEMONIC_XCHG && form.modRm == ModRm::memory;
  const auto formsOf = [this](Family family) -> std::vector<Entry>& {
    return families_[static_cast<std::size_t>(family)];
  };
  file(formsOf(swapsMemory ? Family::atomics : std::get<Family>(verdict)), instruction.mnemonic, form);
  if ((instruction.attributes & ZYDIS_ATTRIB_ACCEPTS_LOCK) != 0 && form.modRm == ModRm::memory) {
    Form locked = form;
    locked.lock = true;
    file(formsOf(Family::atomics), instruction.mnemonic, locked);
  }
}

}  // namespace qm::differ
