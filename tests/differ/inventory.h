// Every encoding of every tested instruction, found by asking the decoder for all opcodes: no list to forget one in.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include <Zydis/Zydis.h>

#include "tests/differ/family.h"

namespace qm::differ {

enum class OpcodeMap : std::uint8_t { one, x0f, x0f38, x0f3a };
enum class Mandatory : std::uint8_t { none, x66, xf2, xf3, x66f2 };
enum class ModRm : std::uint8_t { absent, memory, registers };

// An opcode with everything that selects the instruction; what it leaves open (registers, addresses, immediates) is for
// the generator. SDM 2A, chapter 2.
struct Form {
  OpcodeMap map = OpcodeMap::one;
  Mandatory prefix = Mandatory::none;
  bool w = false;
  bool vex = false;
  bool l = false;  // VEX.L
  bool lock = false;
  std::uint8_t opcode = 0;
  ModRm modRm = ModRm::absent;
  std::optional<std::uint8_t> reg;  // where ModRM.reg is part of the opcode
  std::optional<std::uint8_t> rm;
  bool operator==(const Form&) const = default;
};

// Its bytes up to ModRM, with zeros for all that is open and behind; VEX.vvvv says "none".
std::array<std::uint8_t, ZYDIS_MAX_INSTRUCTION_LENGTH> exampleOf(const Form& form);

class Inventory {
 public:
  Inventory();

  struct Entry {
    ZydisMnemonic mnemonic;
    std::vector<Form> forms;
  };
  // By mnemonic; none of the families that are made of others.
  std::span<const Entry> of(Family family) const { return families_[static_cast<std::size_t>(family)]; }
  // What is in no family, by the reason.
  const std::map<Refusal, std::vector<Entry>>& refused() const { return refused_; }

 private:
  void addOpcode(Form form);
  void addWithModRm(Form form, ModRm kind);
  void add(const Form& form);

  ZydisDecoder decoder_;
  std::array<std::vector<Entry>, kFamilies> families_;
  std::map<Refusal, std::vector<Entry>> refused_;
};

}  // namespace qm::differ
