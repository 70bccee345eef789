// The differ itself: that it makes what it should, keeps it in the sandbox, and finds what is wrong.
#include "tests/differ/differ.h"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "tests/differ/coverage.h"
#include "tests/differ/native_machine.h"
#include "tests/differ/report.h"
#include "tests/differ/undefined.h"

namespace qm::differ {
namespace {

constexpr std::uint64_t kCf = 1, kAf = 0x10, kOf = 0x800;

// Asking the decoder for all opcodes takes a tenth of a second: once is enough.
const Generator& generator() {
  static const Generator kGenerator;
  return kGenerator;
}

std::vector<Family> allFamilies() {
  std::vector<Family> families;
  for (std::size_t i = 0; i < kFamilies; ++i) families.push_back(static_cast<Family>(i));
  return families;
}

class OfEachFamily : public testing::TestWithParam<Family> {};
INSTANTIATE_TEST_SUITE_P(Families, OfEachFamily, testing::ValuesIn(allFamilies()),
                         [](const auto& info) { return std::string(nameOf(info.param)); });

TEST_P(OfEachFamily, EveryMnemonicGetsACase) {
  for (const Inventory::Entry& entry : generator().inventory().of(GetParam())) {
    const std::optional<Case> made = generator().makeOf(entry, {.family = GetParam(), .number = 7});
    ASSERT_TRUE(made) << ZydisMnemonicGetString(entry.mnemonic);
    EXPECT_EQ(made->instruction.info.mnemonic, entry.mnemonic);
  }
}

TEST_P(OfEachFamily, ASeedAlwaysMakesTheSameCase) {
  const Case first = generator().make({.family = GetParam(), .number = 12345});
  const Case second = Generator().make({.family = GetParam(), .number = 12345});
  EXPECT_EQ(first.instruction.bytes, second.instruction.bytes);
  EXPECT_EQ(first.state.gprs, second.state.gprs);
  EXPECT_EQ(first.state.fx, second.state.fx);
  EXPECT_EQ(first.data, second.data);
}

// Where the decoder's own arithmetic says that the operand lies.
std::uint64_t addressOf(const Case& subject, const Line& line, const ZydisDecodedOperand& operand) {
  ZydisRegisterContext context{};
  for (int name = ZYDIS_REGISTER_NONE; name <= ZYDIS_REGISTER_MAX_VALUE; ++name) {
    const auto reg = static_cast<ZydisRegister>(name);
    const std::optional<Gpr> gpr = gprOf(reg);
    if (!gpr) continue;
    const std::uint64_t value = subject.state.gprs[at(*gpr)];
    context.values[name] = ZydisRegisterGetClass(reg) == ZYDIS_REGCLASS_GPR64   ? value
                           : ZydisRegisterGetClass(reg) == ZYDIS_REGCLASS_GPR32 ? value & 0xffff'ffffU
                                                                                : value & 0xffU;
  }
  std::uint64_t linear = 0;
  EXPECT_TRUE(
      ZYAN_SUCCESS(ZydisCalcAbsoluteAddressEx(&line.instruction->info, &operand, line.address, &context, &linear)));
  if (operand.mem.segment == ZYDIS_REGISTER_FS) linear += subject.state.fsBase;
  if (operand.mem.segment == ZYDIS_REGISTER_GS) linear += subject.state.gsBase;
  return linear;
}

void expectInSlot(const Case& subject, const Line& line) {
  for (const ZydisDecodedOperand& operand : line.instruction->operands()) {
    if (operand.type != ZYDIS_OPERAND_TYPE_MEMORY || operand.mem.type != ZYDIS_MEMOP_TYPE_MEM) continue;
    const std::uint64_t address = addressOf(subject, line, operand);
    const std::uint64_t offset = address - subject.slotStart();
    constexpr std::uint64_t kNowhere = 0x4000'0000'0000'0000, kNear = 0x10000;
    const bool isNowhere = address - (kNowhere - kNear) < 2 * kNear;
    EXPECT_TRUE(isNowhere || (offset >= kCodeAt && offset < kSlotBytes))
        << textOf(subject.seed) << " " << generator().codec().text(*line.instruction, line.address) << " at "
        << std::hex << address;
  }
}

TEST_P(OfEachFamily, EveryOperandLiesInTheSlotOrNowhere) {
  for (std::uint64_t i = 0; i < 3000; ++i) {
    const Case subject = generator().make(caseOfRun(GetParam(), 3, i));
    for (const Line& line : linesOf(subject, generator().codec()))
      if (line.instruction) expectInSlot(subject, line);
  }
}

class Native : public testing::Test {
 protected:
  static std::string reportOf(const Case& subject, const Ending& expected, const Ending& got) {
    return describe(subject, generator().codec(), "one", expected, "other", got);
  }

  void SetUp() override {
    auto opened = openNative(generator());
    if (!opened.has_value()) GTEST_SKIP() << opened.error().text();
    native_ = *std::move(opened);
  }

  std::unique_ptr<Machine> native_;
};

TEST_F(Native, TwoRunsOfTheSameCaseAgree) {
  Differ differ(generator(), *native_, *native_);
  for (const Family family : allFamilies()) {
    const auto tally = differ.run(family, 1, 500, [](const Case& subject, const Ending& a, const Ending& b) {
      ADD_FAILURE() << reportOf(subject, a, b);
    });
    ASSERT_TRUE(tally.has_value()) << tally.error().text();
    EXPECT_EQ(tally->cases, 500U);
  }
}

// A CPU whose instructions of one name do not set the carry flag.
class Faulty final : public Machine {
 public:
  Faulty(Machine& sound, ZydisMnemonic broken) : sound_(sound), broken_(broken) {}
  std::string name() const override { return "faulty"; }
  Status run(std::span<const Case> cases, std::span<Ending> endings) override {
    TRY(sound_.run(cases, endings));
    for (std::size_t i = 0; i < cases.size(); ++i)
      if (cases[i].instruction.info.mnemonic == broken_) outcomeIn(endings[i]).state.gprs[at(Gpr::rflags)] &= ~kCf;
    return {};
  }

 private:
  Machine& sound_;
  ZydisMnemonic broken_;
};

TEST_F(Native, AWrongFlagIsFoundAndNamed) {
  Faulty faulty(*native_, ZYDIS_MNEMONIC_ADC);
  Differ differ(generator(), *native_, faulty);
  std::set<ZydisMnemonic> blamed;
  std::string report;
  const auto tally =
      differ.run(Family::alu, 1, 2000, [&](const Case& subject, const Ending& expected, const Ending& got) {
        blamed.insert(subject.instruction.info.mnemonic);
        report = reportOf(subject, expected, got);
        EXPECT_EQ(differingRows(subject, expected, got), "rflags");
      });
  ASSERT_TRUE(tally.has_value());
  EXPECT_GT(tally->failures, 5U);
  EXPECT_EQ(blamed, std::set{ZYDIS_MNEMONIC_ADC});
  EXPECT_NE(report.find("* rflags"), std::string::npos) << report;
  EXPECT_NE(report.find("adc"), std::string::npos) << report;
}

TEST_F(Native, AReplayedSeedIsTheSameDifference) {
  Faulty faulty(*native_, ZYDIS_MNEMONIC_ADC);
  Differ differ(generator(), *native_, faulty);
  std::string first, again;
  CaseSeed seed;
  ASSERT_TRUE(differ.run(Family::alu, 1, 2000, [&](const Case& subject, const Ending& expected, const Ending& got) {
    if (first.empty()) first = reportOf(subject, expected, got), seed = subject.seed;
  }));
  const std::optional<CaseSeed> parsed = parseCaseSeed(textOf(seed));
  ASSERT_TRUE(parsed);
  ASSERT_TRUE(differ.replay(*parsed, [&](const Case& subject, const Ending& expected, const Ending& got) {
    again = reportOf(subject, expected, got);
  }));
  EXPECT_EQ(first, again);
}

TEST_F(Native, AnExceptionIsPartOfTheOutcome) {
  Differ differ(generator(), *native_, *native_);
  const auto tally = differ.run(Family::trap, 1, 100, [](const Case&, const Ending&, const Ending&) {});
  ASSERT_TRUE(tally.has_value());
  EXPECT_EQ(tally->exceptions, 100U);
}

TEST(Seeds, ReadBackAsTheyWereWritten) {
  const CaseSeed seed{.family = Family::x87_arith, .number = 0xfedc'ba98'7654'3210};
  EXPECT_EQ(parseCaseSeed(textOf(seed)), seed);
  EXPECT_EQ(parseCaseSeed("shift"), std::nullopt);
  EXPECT_EQ(parseCaseSeed("nofamily:12"), std::nullopt);
  EXPECT_EQ(parseCaseSeed("shift:12g"), std::nullopt);
}

Case caseOf(std::initializer_list<std::uint8_t> bytes, std::uint64_t rcx) {
  std::array<std::uint8_t, ZYDIS_MAX_INSTRUCTION_LENGTH> padded{};
  std::ranges::copy(bytes, padded.begin());
  Case subject;
  subject.instruction = *Codec().decode(padded);
  subject.state.gprs[at(Gpr::rcx)] = rcx;
  return subject;
}

TEST(Undefined, OverflowOfAShiftByOneIsDefined) {
  EXPECT_EQ(undefinedAfter(caseOf({0xd1, 0xe0}, 0)), kAf);        // shl eax, 1
  EXPECT_EQ(undefinedAfter(caseOf({0xc1, 0xe0, 0x01}, 0)), kAf);  // shl eax, 1, with an immediate
  EXPECT_EQ(undefinedAfter(caseOf({0xd3, 0xe0}, 33)), kAf);       // shl eax, cl: the count is masked to 1
}

TEST(Undefined, OverflowOfALongerShiftIsNot) {
  EXPECT_EQ(undefinedAfter(caseOf({0xc1, 0xe0, 0x02}, 0)), kAf | kOf);         // shl eax, 2
  EXPECT_EQ(undefinedAfter(caseOf({0x48, 0xd3, 0xe0}, 33)), kAf | kOf);        // shl rax, cl: the count is 33
  EXPECT_EQ(undefinedAfter(caseOf({0x66, 0xd3, 0xe0}, 16)), kAf | kOf | kCf);  // shl ax, cl: all bits are lost
}

TEST(Undefined, AShiftByZeroChangesNoFlag) {
  EXPECT_EQ(undefinedAfter(caseOf({0xd3, 0xe0}, 32)), 0U);  // shl eax, cl
}

TEST(Undefined, AdditionLeavesNothingUndefined) {
  EXPECT_EQ(undefinedAfter(caseOf({0x01, 0xc8}, 1)), 0U);  // add eax, ecx
}

TEST(Undefined, EveryRowIsOfAnInstructionThatIsTested) {
  const Inventory& inventory = generator().inventory();
  for (const UndefinedFlags& row : undefinedFlags()) {
    const bool isTested = std::ranges::any_of(allFamilies(), [&](Family family) {
      const auto entries = inventory.of(family);
      return std::ranges::find(entries, row.mnemonic, &Inventory::Entry::mnemonic) != entries.end();
    });
    EXPECT_TRUE(isTested) << row.source;
  }
}

// The decoder has its own list of undefined flags: nothing is forgiven here that it calls defined, but the carry of
// shifts by at least the operand's size, which it does not tell apart.
TEST(Undefined, TheDecoderAgrees) {
  for (const Family family : allFamilies()) {
    for (const Inventory::Entry& entry : generator().inventory().of(family)) {
      const std::optional<Case> made = generator().makeOf(entry, {.family = family, .number = 11});
      ASSERT_TRUE(made);
      const ZydisAccessedFlags* flags = made->instruction.info.cpu_flags;
      const std::uint64_t decoders = flags != nullptr ? flags->undefined : 0;
      const std::uint64_t knownBetter = family == Family::shift ? kCf : 0;
      EXPECT_EQ(undefinedAfter(*made) & ~decoders & ~knownBetter, 0U)
          << generator().codec().text(made->instruction, made->state.entry) << ": " << std::hex << decoders;
    }
  }
}

TEST(Families, OnlyThoseOfBmiAndAvxHaveVexInstructions) {
  const Inventory& inventory = generator().inventory();
  for (const Family family : allFamilies()) {
    for (const Inventory::Entry& entry : inventory.of(family))
      for (const Form& form : entry.forms) EXPECT_TRUE(!form.vex || family == Family::bmi || isOfAvx(family));
  }
}

TEST(Coverage, CountsWhatIsModelledAndWhatWasRun) {
  const auto isMove = [](std::span<const std::uint8_t, ZYDIS_MAX_INSTRUCTION_LENGTH> example) {
    return example[0] == 0x88;  // mov r/m8, r8
  };
  const auto rows =
      coverageOf(generator().inventory(), isMove, {{{Family::move, ZYDIS_MNEMONIC_MOV}, {.cases = 7, .failures = 1}}});
  const auto row = std::ranges::find_if(
      rows, [](const CoverageRow& r) { return r.mnemonic == ZYDIS_MNEMONIC_MOV && r.place == "move"; });
  ASSERT_NE(row, rows.end());
  EXPECT_EQ(row->modelled, 2U);  // to memory, to a register
  EXPECT_GT(row->encodings, 20U);
  EXPECT_EQ(row->tally.cases, 7U);
  const std::string page = coveragePage(rows, "");
  EXPECT_NE(page.find("| syscall | enters the kernel | 0/"), std::string::npos);
  EXPECT_EQ(page.find("gf2p8mulb"), std::string::npos);
}

TEST(Families, WhatIsRefusedIsInNone) {
  const Inventory& inventory = generator().inventory();
  const auto isRefused = [&](ZydisMnemonic mnemonic, Refusal why) {
    const auto& entries = inventory.refused().at(why);
    return std::ranges::find(entries, mnemonic, &Inventory::Entry::mnemonic) != entries.end();
  };
  EXPECT_TRUE(isRefused(ZYDIS_MNEMONIC_SYSCALL, Refusal::entersKernel));
  EXPECT_TRUE(isRefused(ZYDIS_MNEMONIC_RDTSC, Refusal::differsByNature));
  EXPECT_TRUE(isRefused(ZYDIS_MNEMONIC_GF2P8MULB, Refusal::notOffered));
  EXPECT_TRUE(isRefused(ZYDIS_MNEMONIC_MOV, Refusal::changesSegments));  // to a segment register
  EXPECT_FALSE(isRefused(ZYDIS_MNEMONIC_MOV, Refusal::notOffered));
}

}  // namespace
}  // namespace qm::differ
