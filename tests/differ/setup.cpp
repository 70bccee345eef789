#include "tests/differ/setup.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <string_view>

#include "tests/differ/branch_setup.h"
#include "tests/differ/start_state.h"
#include "tests/differ/string_setup.h"
#include "tests/differ/values.h"

namespace qm::differ {

namespace {

std::uint64_t& gpr(Case& subject, Gpr which) {
  return subject.state.gprs[at(which)];
}

std::uint64_t signExtend(std::uint64_t value, unsigned bits) {
  const unsigned unused = 64 - bits;
  return static_cast<std::uint64_t>(static_cast<std::int64_t>(value << unused) >> unused);
}

// Half of the dividends are a sign- or zero-extended half, so that the quotient fits unless the divisor is 0.
bool setUpDivision(Case& subject, Aim& aim, Random& random) {
  if (!aim.allOperands()) return false;
  if (random.oneIn(3)) return true;
  const unsigned bits = subject.instruction.info.operand_width;
  const bool isSigned = subject.instruction.info.mnemonic == ZYDIS_MNEMONIC_IDIV;
  std::uint64_t& rax = gpr(subject, Gpr::rax);
  if (bits == 8) {
    if (!aim.isPinned(Gpr::rax)) rax = (rax & ~0xffffULL) | ((isSigned ? signExtend(rax, 8) : rax & 0xffU) & 0xffffU);
    return true;
  }
  if (aim.isPinned(Gpr::rdx)) return true;
  gpr(subject, Gpr::rdx) = isSigned ? signExtend(signExtend(rax, bits) >> 63U, 1) : random.below(3);
  return true;
}

// Half of the comparands are equal.
bool setUpCompareExchange(Case& subject, Aim& aim, Random& random) {
  if (!aim.allOperands()) return false;
  if (random.oneIn(2)) return true;
  const ZydisDecodedOperand& destination = subject.instruction.operands()[0];
  if (destination.type == ZYDIS_OPERAND_TYPE_REGISTER) {
    const std::optional<Gpr> to = gprOf(destination.reg.value);
    if (to) gpr(subject, *to) = gpr(subject, Gpr::rax);
    return true;
  }
  if (!aim.target()) return true;
  const std::size_t half = subject.instruction.info.mnemonic == ZYDIS_MNEMONIC_CMPXCHG8B ? 4 : 8;
  std::array<std::uint8_t, 16> bytes;
  std::memcpy(bytes.data(), &gpr(subject, Gpr::rax), half);
  std::memcpy(bytes.data() + half, &gpr(subject, Gpr::rdx), half);
  poke(subject, *aim.target(), std::span(bytes).first(std::min<std::size_t>(destination.size / 8, 2 * half)));
  return true;
}

// bt [m], r: the register is a signed bit offset from the operand (SDM 2A, BT).
bool setUpBitTest(Case& subject, Aim& aim, Random& random) {
  const auto operands = subject.instruction.operands();
  const bool isBitString =
      operands[0].type == ZYDIS_OPERAND_TYPE_MEMORY && operands[1].type == ZYDIS_OPERAND_TYPE_REGISTER;
  if (isBitString) {
    const std::uint64_t offset = random.below(4096) - 2048;
    const std::uint64_t mask = operands[1].size == 64 ? ~0ULL : (1ULL << operands[1].size) - 1;
    if (!aim.pin(*gprOf(operands[1].reg.value), (offset & mask) | (random.next() & ~mask))) return false;
  }
  return aim.allOperands();
}

// The address is rbx + al; the decoder calls al an index.
bool setUpTranslate(Case& subject, Aim& aim) {
  const auto operands = subject.instruction.operands();
  const auto memory = std::ranges::find(operands, ZYDIS_OPERAND_TYPE_MEMORY, &ZydisDecodedOperand::type);
  if (memory == operands.end()) return false;
  ZydisDecodedOperand plain = *memory;
  plain.mem.index = ZYDIS_REGISTER_NONE;
  const bool isFree = subject.instruction.info.address_width == 64;
  return aim.operand(plain, aim.chooseTarget(1, isFree) - (gpr(subject, Gpr::rax) & 0xffU));
}

// SDM 2A, ENTER: allocates the first immediate, copies frame pointers by the second's low five bits.
bool setUpFrame(Case& subject, Aim& aim, Random& random) {
  const std::uint64_t frame = subject.slotStart() + kStackAt + 1024 + random.below(kStackBytes - 2048);
  if (!aim.pin(Gpr::rbp, random.oneIn(6) ? frame : frame & ~std::uint64_t{7})) return false;
  if (subject.instruction.info.mnemonic == ZYDIS_MNEMONIC_ENTER) {
    const auto& immediates = subject.instruction.info.raw.imm;
    patch(subject.instruction, immediates[0].offset, 16, random.oneIn(8) ? random.next() : random.below(512));
    patch(subject.instruction, immediates[1].offset, 8, random.oneIn(2) ? 0 : random.byte());
    return aim.allOperands();
  }
  return true;  // leave takes its operand from where rbp points to
}

// The flags that a case may load: neither the trap flag, nor alignment check (which would hit the harness).
bool setUpPopFlags(Case& subject, Aim& aim, Random& random) {
  if (!aim.allOperands()) return false;
  constexpr std::uint64_t kTrap = 0x100, kAlignmentCheck = 0x4'0000;
  poke64(subject, subject.state.gprs[at(Gpr::rsp)], random.next() & ~(kTrap | kAlignmentCheck));
  return true;
}

// Images that can be loaded, most of them; MXCSR's upper half is reserved (#GP).
bool setUpImage(Case& subject, Aim& aim, Random& random) {
  if (!aim.allOperands()) return false;
  if (!aim.target()) return true;
  FxArea image;
  fillFx(image, random);
  const auto bytes = std::span(reinterpret_cast<const std::uint8_t*>(&image), sizeof image);
  const std::uint64_t reserved = random.oneIn(12) ? std::uint64_t{1} << (16 + random.below(16)) : 0;
  image.mxcsr |= static_cast<std::uint32_t>(reserved);
  switch (subject.instruction.info.mnemonic) {
    case ZYDIS_MNEMONIC_LDMXCSR:
    case ZYDIS_MNEMONIC_VLDMXCSR:
      poke(subject, *aim.target(), bytes.subspan(offsetof(FxArea, mxcsr), 4));
      break;
    case ZYDIS_MNEMONIC_FXRSTOR:
    case ZYDIS_MNEMONIC_FXRSTOR64:
      poke(subject, *aim.target(), bytes);
      break;
    default:
      break;
  }
  return true;
}

// The address without indices points into the middle of the data; each index leads some elements away from there,
// seldom out.
bool setUpGather(Case& subject, Aim& aim, Random& random) {
  const auto operands = subject.instruction.operands();
  ZydisDecodedOperand plain = operands[1];
  const std::size_t indices = numberOf(plain.mem.index);
  const std::string_view name = ZydisMnemonicGetString(subject.instruction.info.mnemonic);
  const std::size_t indexBytes = name[name.find("gather") + 6] == 'd' ? 4 : 8;
  plain.mem.index = ZYDIS_REGISTER_NONE;
  const std::uint64_t middle = subject.slotStart() + kDataAt + 2048 + random.below(kDataBytes - 4096);
  if (!aim.operand(plain, middle)) return false;
  std::array<std::uint8_t, 32> bytes;
  for (std::size_t at = 0; at < bytes.size(); at += indexBytes) {
    std::uint64_t index = random.below(256) - 128;
    if (random.oneIn(48)) index = random.below(8192) - 4096;
    std::memcpy(bytes.data() + at, &index, indexBytes);
  }
  std::memcpy(subject.state.fx.xmm[indices].data(), bytes.data(), 16);
  std::memcpy(subject.state.upper[indices].data(), bytes.data() + 16, 16);
  return true;
}

// A base that is not canonical is #GP.
bool setUpSegmentBase(Case& subject, Aim& aim, Random& random) {
  if (!aim.allOperands()) return false;
  const std::optional<Gpr> from = gprOf(subject.instruction.operands()[0].reg.value);
  if (from && !random.oneIn(8)) gpr(subject, *from) &= 0x7fff'ffff'ffffU;
  return true;
}

}  // namespace

bool setUp(Case& subject, Random& random) {
  Aim aim(subject, random);
  const ZydisDecodedInstruction& info = subject.instruction.info;
  if (subject.seed.family == Family::string) return setUpString(subject, aim, random);
  if (subject.seed.family == Family::branch) return setUpBranch(subject, aim, random);
  switch (info.mnemonic) {
    case ZYDIS_MNEMONIC_DIV:
    case ZYDIS_MNEMONIC_IDIV:
      return setUpDivision(subject, aim, random);
    case ZYDIS_MNEMONIC_CMPXCHG:
    case ZYDIS_MNEMONIC_CMPXCHG8B:
    case ZYDIS_MNEMONIC_CMPXCHG16B:
      return setUpCompareExchange(subject, aim, random);
    case ZYDIS_MNEMONIC_BT:
    case ZYDIS_MNEMONIC_BTS:
    case ZYDIS_MNEMONIC_BTR:
    case ZYDIS_MNEMONIC_BTC:
      return setUpBitTest(subject, aim, random);
    case ZYDIS_MNEMONIC_XLAT:
      return setUpTranslate(subject, aim);
    case ZYDIS_MNEMONIC_ENTER:
    case ZYDIS_MNEMONIC_LEAVE:
      return setUpFrame(subject, aim, random);
    case ZYDIS_MNEMONIC_MASKMOVQ:
    case ZYDIS_MNEMONIC_MASKMOVDQU:
    case ZYDIS_MNEMONIC_VMASKMOVDQU:
      // Whether bytes that are not stored can fault is the implementation's choice (SDM 2B, MASKMOVDQU).
      aim.stayInside();
      return aim.allOperands();
    case ZYDIS_MNEMONIC_VPGATHERDD:
    case ZYDIS_MNEMONIC_VPGATHERDQ:
    case ZYDIS_MNEMONIC_VPGATHERQD:
    case ZYDIS_MNEMONIC_VPGATHERQQ:
    case ZYDIS_MNEMONIC_VGATHERDPS:
    case ZYDIS_MNEMONIC_VGATHERDPD:
    case ZYDIS_MNEMONIC_VGATHERQPS:
    case ZYDIS_MNEMONIC_VGATHERQPD:
      return setUpGather(subject, aim, random);
    case ZYDIS_MNEMONIC_POPF:
    case ZYDIS_MNEMONIC_POPFQ:
      return setUpPopFlags(subject, aim, random);
    case ZYDIS_MNEMONIC_LDMXCSR:
    case ZYDIS_MNEMONIC_VLDMXCSR:
    case ZYDIS_MNEMONIC_FXRSTOR:
    case ZYDIS_MNEMONIC_FXRSTOR64:
      return setUpImage(subject, aim, random);
    case ZYDIS_MNEMONIC_WRFSBASE:
    case ZYDIS_MNEMONIC_WRGSBASE:
      return setUpSegmentBase(subject, aim, random);
    default:
      return aim.allOperands();
  }
}

}  // namespace qm::differ
