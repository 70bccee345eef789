// How an instruction with a VEX prefix is encoded, in the notation of the manual (SDM 2A, 3.1.1.2), without what is
// always so: "DDS.66.0F38.W1 A8", "NDD.66.0F 71 /6 ib". NDS: VEX.vvvv is the first source; DDS: and the destination is
// a source too; NDD: VEX.vvvv is the destination. MR: ModRM.rm is the destination. "ib4": of the immediate only the low
// four bits count.
#pragma once

#include <cstdint>
#include <string_view>

#include "vmm/hypervisor/soft/decode/instruction.h"

namespace qm::soft {

struct VexEncoding {
  enum class Role : std::uint8_t { none, source, sourceAndAccumulator, destination };  // of VEX.vvvv
  Role role = Role::none;
  bool writesRm = false;
  std::uint8_t prefix = 0;  // VEX.pp
  std::uint8_t map = 1;     // VEX.mmmmm
  bool w = false;
  std::uint8_t opcode = 0;
  std::uint8_t extension = 0;      // of the opcode, in ModRM.reg
  std::uint8_t immediateBits = 0;  // 0: there is none
  bool hasFourth = false;          // a register in the immediate ("/is4")

  // NOLINTNEXTLINE(google-explicit-constructor): a table's row is the notation itself
  consteval VexEncoding(const char* notation) {
    const std::string_view text(notation);
    const std::size_t space = text.find(' ');
    for (std::string_view rest = text.substr(0, space); !rest.empty();) takePrefix(next(rest, '.'));
    std::string_view rest = text.substr(space + 1);
    opcode = hex(next(rest, ' '));
    while (!rest.empty()) takeSuffix(next(rest, ' '));
  }

  constexpr bool readsFirst() const { return role == Role::source || role == Role::sourceAndAccumulator; }
  constexpr bool readsDestination() const { return role == Role::sourceAndAccumulator; }

  bool isOf(const Instruction& instruction) const {
    const ZydisDecodedInstruction& raw = instruction.raw;
    return raw.encoding == ZYDIS_INSTRUCTION_ENCODING_VEX && raw.opcode == opcode && raw.raw.vex.m_mmmm == map &&
           raw.raw.vex.pp == prefix;
  }

 private:
  // The first word of `rest`, which becomes what follows it.
  static consteval std::string_view next(std::string_view& rest, char separator) {
    const std::size_t end = rest.find(separator);
    const std::string_view word = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    return word;
  }
  consteval void takePrefix(std::string_view word) {
    if (word == "NDS") role = Role::source;
    if (word == "DDS") role = Role::sourceAndAccumulator;
    if (word == "NDD") role = Role::destination;
    if (word == "MR") writesRm = true;
    if (word == "66") prefix = 1;
    if (word == "F3") prefix = 2;
    if (word == "F2") prefix = 3;
    if (word == "0F38") map = 2;
    if (word == "0F3A") map = 3;
    if (word == "W1") w = true;
  }
  consteval void takeSuffix(std::string_view word) {
    if (word == "/is4") {
      hasFourth = true;
    } else if (word.starts_with('/')) {
      extension = static_cast<std::uint8_t>(word[1] - '0');
    } else {
      immediateBits = static_cast<std::uint8_t>(word.size() > 2 ? word[2] - '0' : 8);
    }
  }
  static consteval std::uint8_t hex(std::string_view digits) {
    std::uint8_t value = 0;
    for (const char digit : digits)
      value = static_cast<std::uint8_t>(value * 16 + (digit <= '9' ? digit - '0' : digit - 'A' + 10));
    return value;
  }
};

enum class VexLength : std::uint8_t { bits128, bits256 };

}  // namespace qm::soft
