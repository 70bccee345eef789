#include "tests/differ/start_state.h"

#include <algorithm>
#include <cstring>

#include "tests/differ/values.h"
#include "vmm/result/check.h"

namespace qm::differ {

namespace {

constexpr std::uint64_t kStatusFlags = 0x8d5, kReserved1 = 0x2, kInterrupts = 0x200, kDirection = 0x400,
                        kNestedTask = 0x4000, kIdentification = 0x20'0000;

std::uint64_t randomFlags(Random& random) {
  std::uint64_t flags = kReserved1 | kInterrupts | (random.next() & kStatusFlags);
  if (random.oneIn(3)) flags |= kDirection;
  if (random.oneIn(16)) flags |= kIdentification;
  if (random.oneIn(32)) flags |= kNestedTask;
  return flags;
}

std::uint32_t randomMxcsr(Random& random) {
  constexpr std::uint32_t kMasks = 0x1f80;  // all exceptions masked; SDM 1, 10.2.3
  const auto any = static_cast<std::uint32_t>(random.next() & 0xffffU);
  if (random.oneIn(3)) return kMasks;
  if (random.oneIn(4)) return any;
  return any | kMasks;
}

// Bit 6 of the control word reads as 1 whatever is loaded.
std::uint16_t randomFcw(Random& random) {
  constexpr std::uint16_t kDefault = 0x37f, kMasks = 0x3f, kMeaningful = 0x1f7f, kAlwaysSet = 0x40;
  const auto any = static_cast<std::uint16_t>((random.next() & kMeaningful) | kAlwaysSet);
  if (random.oneIn(3)) return kDefault;
  if (random.oneIn(4)) return any;
  return any | kMasks;
}

// SDM 1, 8.1.3: ES is the summary of unmasked exceptions, B its mirror.
std::uint16_t randomFsw(std::uint16_t fcw, Random& random) {
  constexpr unsigned kExceptions = 0x3f, kSummaryAndBusy = 0x8080, kFree = 0x7f7f;
  unsigned fsw = static_cast<unsigned>(random.next()) & kFree;
  if (!random.oneIn(12)) fsw &= ~(kExceptions & ~unsigned{fcw});
  if ((fsw & kExceptions & ~unsigned{fcw}) != 0) fsw |= kSummaryAndBusy;
  return static_cast<std::uint16_t>(fsw);
}

std::uint8_t randomTags(Random& random) {
  switch (random.below(4)) {
    case 0:
      return random.byte();
    case 1:
      return static_cast<std::uint8_t>(random.byte() | random.byte() | random.byte());
    default:
      return 0xff;
  }
}

std::uint64_t randomSegmentBase(Random& random) {
  constexpr std::uint64_t kCanonicalLowHalf = 0x7fff'ffff'ffff;
  switch (random.below(4)) {
    case 0:
      return 0;
    case 1:
      return random.next() & kCanonicalLowHalf;
    default:
      return random.below(0x100'0000);
  }
}

void fillOperandRegister(LoadedState& state, const ZydisDecodedOperand& operand, Random& random) {
  FxArea& fx = state.fx;
  const ZydisRegister name = operand.reg.value;
  if (ZydisRegisterGetClass(name) == ZYDIS_REGCLASS_XMM)
    fillInteresting(random, elementOf(operand), fx.xmm[numberOf(name)]);
  if (ZydisRegisterGetClass(name) == ZYDIS_REGCLASS_YMM) {
    fillInteresting(random, elementOf(operand), fx.xmm[numberOf(name)]);
    fillInteresting(random, elementOf(operand), state.upper[numberOf(name)]);
  }
  if (ZydisRegisterGetClass(name) != ZYDIS_REGCLASS_MMX) return;
  // MM(i) is the significand of the physical register i, which is ST(i - TOP); SDM 1, 9.2.
  const std::size_t top = fx.fsw >> 11U & 7U;
  fillInteresting(random, elementOf(operand), std::span(fx.st[(numberOf(name) + 8 - top) % 8]).first<8>());
}

}  // namespace

Element elementOf(const ZydisDecodedOperand& operand) {
  switch (operand.element_type) {
    case ZYDIS_ELEMENT_TYPE_FLOAT16:
      return Element::real16;
    case ZYDIS_ELEMENT_TYPE_FLOAT32:
      return Element::real32;
    case ZYDIS_ELEMENT_TYPE_FLOAT64:
      return Element::real64;
    case ZYDIS_ELEMENT_TYPE_FLOAT80:
      return Element::real80;
    case ZYDIS_ELEMENT_TYPE_LONGBCD:
      return Element::decimal80;
    default:
      return Element::integer;
  }
}

void fillFx(FxArea& fx, Random& random) {
  fx.fcw = randomFcw(random);
  fx.fsw = randomFsw(fx.fcw, random);
  fx.ftw = randomTags(random);
  fx.fop = static_cast<std::uint16_t>(random.below(0x800));
  fx.fip = random.below(std::uint64_t{1} << 40U);
  fx.fdp = random.below(std::uint64_t{1} << 40U);
  fx.mxcsr = randomMxcsr(random);
  for (auto& st : fx.st) {
    const auto value = interestingReal80(random);
    std::ranges::copy(value, st.begin());
  }
  for (auto& xmm : fx.xmm) {
    const std::array<std::uint64_t, 2> value{random.next(), random.next()};
    std::memcpy(xmm.data(), value.data(), sizeof value);
  }
}

void fillOperands(LoadedState& state, const Instruction& instruction, Random& random) {
  for (const ZydisDecodedOperand& operand : instruction.operands())
    if (operand.type == ZYDIS_OPERAND_TYPE_REGISTER) fillOperandRegister(state, operand, random);
}

void fillState(Case& subject, std::span<const std::uint8_t> background, Random& random) {
  LoadedState& state = subject.state;
  fillFx(state.fx, random);
  // From numbers of their own, so that the rest of a case is what it was before there were any.
  Random ofUpper(mix(subject.seed.number));
  for (auto& half : state.upper) {
    const std::array<std::uint64_t, 2> value{ofUpper.next(), ofUpper.next()};
    std::memcpy(half.data(), value.data(), sizeof value);
  }
  for (std::uint64_t& gpr : state.gprs) gpr = interestingInteger(random);
  state.gprs[at(Gpr::rflags)] = randomFlags(random);
  state.fsBase = randomSegmentBase(random);
  state.gsBase = randomSegmentBase(random);
  fillOperands(state, subject.instruction, random);
  CHECK(background.size() >= kDataBytes + kStackBytes);
  std::memcpy(subject.data.data(), background.data(), kDataBytes);
  std::memcpy(subject.stack.data(), background.data() + kDataBytes, kStackBytes);
}

}  // namespace qm::differ
