// One decoded instruction, or a part of one: a record that says which function does it and with which operands. Records
// hold no pointer of this process: handlers are distances from one function, branches distances between records, so
// that a block of them can be mapped anywhere.
#pragma once

#include <cstdint>

namespace qm::soft {

struct Cpu;

// Register numbers of an address. Beyond the sixteen: where the block begins (its virtual address; what rip-relative
// addresses count from), and one that is always 0.
inline constexpr std::uint8_t kBlockRip = 16, kNoRegister = 17, kRegisterSlots = 18;

enum class SegmentName : std::uint8_t { es, cs, ss, ds, fs, gs };

// How an operation finds its memory operand.
enum class Addressing : std::uint8_t {
  base,     // base + displacement
  indexed,  // base + (index << scale) + displacement
  segment,  // FS or GS base + the same
  wide,     // the same with `immediate` for a displacement: of 64 bits (mov al, moffs64)
  farRip,  // rip + displacement, where the distance from the block's start does not fit: from the instruction's own end
  legacy,  // 16- or 32-bit address size, or a mode with segments: by legacyAddress()
};

struct Operation {
  std::int32_t handler = 0;  // from leaveBefore(), in bytes (handler.h)
  // Registers. General ones: byte offset into Cpu::gpr, so that ah is 1; XMM and others: their number.
  std::uint8_t to = 0, from = 0, third = 0;
  std::uint8_t length = 0;                                          // of the instruction, in bytes
  std::uint8_t base = kNoRegister, index = kNoRegister, scale = 0;  // numbers; scale as a shift
  SegmentName segment = SegmentName::ds;
  std::int32_t displacement = 0;
  union {
    std::uint64_t immediate = 0;  // sign- or zero-extended as the instruction wants it
    // Of an operation that ends a block: the next block's first record, counted in records from this one; 0: not known.
    // [0]: what follows in memory; [1]: the branch's target.
    std::int32_t chain[2];
  };
  std::uint16_t offset = 0;    // of the instruction from the block's start, in bytes
  std::uint8_t ordinal = 0;    // how many instructions of the block come before it
  std::uint8_t detail = 0;     // the family's own
  std::uint16_t mnemonic = 0;  // Zydis's number, for counting and for messages
  Addressing addressing = Addressing::base;
  std::uint8_t addressBytes = 8;
};
static_assert(sizeof(Operation) == 32);

}  // namespace qm::soft
