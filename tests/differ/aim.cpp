#include "tests/differ/aim.h"

#include <algorithm>
#include <array>
#include <bit>

#include "tests/differ/start_state.h"
#include "tests/differ/values.h"

namespace qm::differ {

namespace {

constexpr std::uint64_t kLow32 = 0xffff'ffff;
constexpr std::uint64_t kNotCanonical = 0x4000'0000'0000'0000;  // with 48 and with 57 bits of address

bool isStackRegister(ZydisRegister name) {
  return name == ZYDIS_REGISTER_RSP || name == ZYDIS_REGISTER_ESP;
}

bool isInstructionPointer(ZydisRegister name) {
  return name == ZYDIS_REGISTER_RIP || name == ZYDIS_REGISTER_EIP;
}

// The inverse of an odd number modulo 2^64, by Newton's iteration.
std::uint64_t inverse(std::uint64_t odd) {
  std::uint64_t x = odd;  // right in the low 3 bits; each round doubles them
  for (int round = 0; round < 5; ++round) x *= 2 - odd * x;
  return x;
}

}  // namespace

bool Aim::pin(Gpr gpr, std::uint64_t value) {
  if (isPinned(gpr)) return case_.state.gprs[at(gpr)] == value;
  case_.state.gprs[at(gpr)] = value;
  pinned_ |= 1U << at(gpr);
  return true;
}

bool Aim::pinAddress(Gpr gpr, std::uint64_t value) {
  if (!isAddress32()) return pin(gpr, value);
  if (isPinned(gpr)) return (case_.state.gprs[at(gpr)] & kLow32) == (value & kLow32);
  return pin(gpr, (random_.next() & ~kLow32) | (value & kLow32));
}

// Locked operands cross a cache line seldom: on some hosts that stops every processor for a moment.
std::uint64_t Aim::aligned(std::uint64_t address, std::uint64_t bytes) {
  const bool locked = case_.instruction.has(ZYDIS_ATTRIB_HAS_LOCK) || case_.seed.family == Family::atomics;
  const bool isSeldom = locked || (isSequence(case_.seed.family) && bytes >= 16);  // many fault then
  const bool unaligned = isSeldom ? random_.oneIn(64) : random_.oneIn(3);
  if (unaligned || bytes < 2) return address;
  if (bytes == 32) return address & ~(bytes - 1);
  return address & ~(std::min<std::uint64_t>(std::bit_floor(bytes), 16) - 1);
}

std::uint64_t Aim::chooseTarget(std::uint64_t bytes, bool addressIsFree) {
  const std::uint64_t slot = case_.slotStart();
  const std::uint64_t data = slot + kDataAt, readOnly = slot + kReadOnlyAt;
  // Of an operand that is not accessed at once, only one page faults: which would be first is nobody's promise. Nor is
  // what a store in two parts has written before its second part faults: those of 10 bytes keep to one page then.
  constexpr std::uint64_t kAtOnce = 16, kReal80 = 10;
  const bool isLong = bytes > kAtOnce;
  if (bytes == kReal80 && random_.oneIn(16)) return readOnly + random_.below(2 * kPage - kReal80) / 16 * 16;
  const bool staysInside = staysInside_ || bytes == kReal80;
  const std::uint64_t crossing = bytes > 1 ? random_.below(bytes - 1) + 1 : 1;
  const std::uint64_t choice = random_.below(64);
  if (staysInside && choice < 5) return aligned(data + random_.below(kDataBytes - bytes), bytes);
  switch (choice) {
    case 0:  // into what may only be read
    case 1:
      return readOnly - (random_.oneIn(2) ? crossing : 0);
    case 2:
      return aligned(readOnly + random_.below(kPage - bytes), bytes);
    case 3:  // out at either end
      return isLong || random_.oneIn(2) ? data - crossing : readOnly + kPage - crossing;
    case 4:
      if (addressIsFree && random_.oneIn(2)) return kNotCanonical + random_.below(kPage);
      return aligned(readOnly + kPage + random_.below(kPage), bytes);
    case 5:
    case 6:
    case 7:
    case 8:
    case 9:
      return data + kPage - crossing;
    default:
      return aligned(data + random_.below(kDataBytes - bytes), bytes);
  }
}

std::uint64_t Aim::segmentBase(ZydisRegister segment, bool mustBeSmall) {
  if (segment != ZYDIS_REGISTER_FS && segment != ZYDIS_REGISTER_GS) return 0;
  std::uint64_t& base = segment == ZYDIS_REGISTER_FS ? case_.state.fsBase : case_.state.gsBase;
  if (mustBeSmall) base &= 0xff'ffff;
  return base;
}

std::uint64_t Aim::displacement(const ZydisDecodedOperandMem& memory) const {
  return memory.disp.has_displacement != 0 ? static_cast<std::uint64_t>(memory.disp.value) : 0;
}

bool Aim::patchDisplacement(std::uint64_t value) {
  const auto& field = case_.instruction.info.raw.disp;
  const auto extended = static_cast<std::int64_t>(value);
  const bool fits =
      field.size == 64 ||
      (field.size == 32 && (isAddress32() ? value <= kLow32 : extended == static_cast<std::int32_t>(value))) ||
      (field.size == 8 && extended == static_cast<std::int8_t>(value));
  if (!fits) return false;
  patch(case_.instruction, field.offset, field.size, value);
  return true;
}

bool Aim::operand(const ZydisDecodedOperand& operand, std::uint64_t target) {
  const ZydisDecodedOperandMem& memory = operand.mem;
  const bool hasBase = memory.base != ZYDIS_REGISTER_NONE && !isInstructionPointer(memory.base);
  const bool hasIndex = memory.index != ZYDIS_REGISTER_NONE;
  const std::uint64_t linear = target - segmentBase(memory.segment, isAddress32() || !(hasBase || hasIndex));
  if (isAddress32() && linear > kLow32) return false;
  if (isInstructionPointer(memory.base)) {
    const std::uint64_t next = case_.state.entry + case_.instruction.info.length;
    const std::uint64_t distance = linear - next;
    return patchDisplacement(isAddress32() ? distance & kLow32 : distance);
  }
  if (!hasBase && !hasIndex) return patchDisplacement(linear);
  const std::uint64_t sum = linear - displacement(memory);
  if (!hasIndex) return solveBase(memory, sum);
  return hasBase ? solveBoth(memory, sum) : solveIndex(memory, sum);
}

bool Aim::solveBase(const ZydisDecodedOperandMem& memory, std::uint64_t sum) {
  return pinAddress(*gprOf(memory.base), sum);
}

// The part that scaling loses may be anything.
bool Aim::solveIndex(const ZydisDecodedOperandMem& memory, std::uint64_t sum) {
  const std::uint64_t scale = memory.scale;
  const std::uint64_t rest = (isAddress32() ? sum & kLow32 : sum) % scale;
  if (rest != 0 && !patchDisplacement(displacement(memory) + rest)) return false;
  std::uint64_t value = (isAddress32() ? sum & kLow32 : sum) / scale;
  const unsigned lost = static_cast<unsigned>(std::countr_zero(scale));
  if (lost != 0 && random_.oneIn(3)) value |= random_.next() << ((isAddress32() ? 32U : 64U) - lost);
  return pinAddress(*gprOf(memory.index), value);
}

bool Aim::solveBoth(const ZydisDecodedOperandMem& memory, std::uint64_t sum) {
  const Gpr base = *gprOf(memory.base), index = *gprOf(memory.index);
  const std::uint64_t scale = memory.scale;
  if (base == index) {
    if (scale == 1) return sum % 2 == 0 && pinAddress(base, sum / 2);
    return pinAddress(base, sum * inverse(scale + 1));
  }
  const auto value = [&](Gpr gpr) { return case_.state.gprs[at(gpr)]; };
  if (!isPinned(base)) {
    // The index keeps its random value.
    pinned_ |= 1U << at(index);
    return pinAddress(base, sum - value(index) * scale);
  }
  return scale == 1 && pinAddress(index, sum - value(base));
}

bool Aim::usesStack() const {
  return std::ranges::any_of(case_.instruction.operands(), [](const ZydisDecodedOperand& operand) {
    return operand.type == ZYDIS_OPERAND_TYPE_MEMORY && operand.visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN &&
           isStackRegister(operand.mem.base);
  });
}

// push [rsp+8], pop [rsp+8] (SDM 2B, POP: the address counts from the stack pointer after the pop).
bool Aim::stackRelative(const ZydisDecodedOperand& memory) {
  if (memory.mem.index != ZYDIS_REGISTER_NONE || isAddress32()) return false;
  if (memory.mem.segment == ZYDIS_REGISTER_FS || memory.mem.segment == ZYDIS_REGISTER_GS) return false;
  if (case_.instruction.info.raw.disp.size == 0) return true;
  return patchDisplacement(random_.below(64));
}

bool Aim::explicitOperand(const ZydisDecodedOperand& memory) {
  if (isStackRegister(memory.mem.base) && usesStack()) return stackRelative(memory);
  const bool isFree =
      !isAddress32() && memory.mem.base != ZYDIS_REGISTER_NONE && !isInstructionPointer(memory.mem.base);
  const std::uint64_t bytes = std::max<std::uint64_t>(memory.size / 8, 1);
  const std::uint64_t where = chooseTarget(bytes, isFree);
  if (!operand(memory, where)) return false;
  target_ = where;
  std::array<std::uint8_t, 512> values;
  const auto filled = std::span(values).first(std::min<std::size_t>(bytes, values.size()));
  fillInteresting(random_, elementOf(memory), filled);
  poke(case_, where, filled);
  return true;
}

bool Aim::allOperands() {
  if (usesStack() && !isPinned(Gpr::rsp)) {
    const std::uint64_t stack = case_.slotStart() + kStackAt;
    std::uint64_t top = stack + 1024 + random_.below(kStackBytes - 2048);
    if (!random_.oneIn(6)) top &= ~std::uint64_t{7};
    if (random_.oneIn(24)) top = stack + kPage + random_.below(16) - 8;
    if (random_.oneIn(48)) top = random_.oneIn(2) ? stack + random_.below(8) : stack + kStackBytes - random_.below(8);
    if (!pin(Gpr::rsp, top)) return false;
  }
  for (const ZydisDecodedOperand& operand : case_.instruction.operands()) {
    if (operand.type != ZYDIS_OPERAND_TYPE_MEMORY || operand.mem.type != ZYDIS_MEMOP_TYPE_MEM) continue;
    const bool isImpliedStack =
        operand.visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN && isStackRegister(operand.mem.base);
    if (!isImpliedStack && !explicitOperand(operand)) return false;
  }
  return true;
}

}  // namespace qm::differ
