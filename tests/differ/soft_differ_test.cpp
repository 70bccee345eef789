// The CPU in software against the host's: a short run of every family with a fixed seed, and the self-checking
// programs. tests/differ/differ runs longer ones.
#include <gtest/gtest.h>

#include "tests/differ/assembly/programs.h"
#include "tests/differ/differ.h"
#include "tests/differ/guest_machine.h"
#include "tests/differ/harness.h"
#include "tests/differ/native_machine.h"
#include "tests/differ/report.h"
#include "vmm/hypervisor/soft/soft_hypervisor.h"

namespace qm::differ {
namespace {

constexpr std::uint64_t kSeed = 20, kCases = 2000;
constexpr int kShown = 3;  // reports of a family

// Asking the decoder for all opcodes takes a tenth of a second: once is enough.
const Generator& generator() {
  static const Generator kGenerator;
  return kGenerator;
}

class BothMachines : public testing::Test {
 protected:
  void SetUp() override {
    auto hypervisor = openSoft();
    if (!hypervisor.has_value()) GTEST_SKIP() << hypervisor.error().text();
    hypervisor_ = *std::move(hypervisor);
    auto guest = openGuest(*hypervisor_, generator());
    ASSERT_TRUE(guest.has_value()) << guest.error().text();
    guest_ = *std::move(guest);
    auto native = openNative(generator());
    if (!native.has_value()) GTEST_SKIP() << native.error().text();
    native_ = *std::move(native);
  }

  std::unique_ptr<Hypervisor> hypervisor_;
  std::unique_ptr<Machine> guest_, native_;
};

class Soft : public BothMachines, public testing::WithParamInterface<Family> {};

std::vector<Family> allFamilies() {
  std::vector<Family> families;
  for (std::size_t i = 0; i < kFamilies; ++i) families.push_back(static_cast<Family>(i));
  return families;
}
INSTANTIATE_TEST_SUITE_P(Families, Soft, testing::ValuesIn(allFamilies()),
                         [](const auto& info) { return std::string(nameOf(info.param)); });

TEST_P(Soft, DoesAsTheHostsCpuDoes) {
  if (isOfAvx(GetParam()) && !hostHasAvx()) GTEST_SKIP() << "this host has no AVX2 or no FMA";
  Differ differ(generator(), *native_, *guest_);
  int shown = 0;
  const auto tally =
      differ.run(GetParam(), kSeed, kCases, [&](const Case& subject, const Ending& expected, const Ending& got) {
        if (shown++ < kShown) ADD_FAILURE() << describe(subject, generator().codec(), "native", expected, "soft", got);
      });
  ASSERT_TRUE(tally.has_value()) << tally.error().text();
  EXPECT_EQ(tally->cases, kCases);
  EXPECT_EQ(tally->failures, 0U);
}

// Cases that once went wrong, by what they showed.
struct Regression {
  const char* name;
  const char* seed;
};
class SoftRegression : public BothMachines, public testing::WithParamInterface<Regression> {};
INSTANTIATE_TEST_SUITE_P(
    Cases, SoftRegression,
    testing::Values(Regression{"EnterThatReadsWhatItPushedIsNotBegunAgain", "stack:64cbf1eec7bc5ef2"},
                    Regression{"AnAddressByRipMayOverflowFromTheBlocksStart", "sequence:9e1cd9c0ffa89bfa"},
                    Regression{"AHalfOfADenormalIsInexactWhereItUnderflowsUnmasked", "avx_convert:e447af6f8a88f281"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST_P(SoftRegression, StaysMended) {
  Differ differ(generator(), *native_, *guest_);
  const std::optional<CaseSeed> seed = parseCaseSeed(GetParam().seed);
  ASSERT_TRUE(seed.has_value());
  const auto tally = differ.replay(*seed, [&](const Case& subject, const Ending& expected, const Ending& got) {
    ADD_FAILURE() << describe(subject, generator().codec(), "native", expected, "soft", got);
  });
  ASSERT_TRUE(tally.has_value()) << tally.error().text();
}

TEST(SoftPrograms, PassOnTheCpuInSoftware) {
  auto hypervisor = openSoft();
  if (!hypervisor.has_value()) GTEST_SKIP() << hypervisor.error().text();
  auto guest = openGuest(**hypervisor, generator());
  ASSERT_TRUE(guest.has_value()) << guest.error().text();
  std::vector<Ending> endings(1);
  // In two slots: what was decoded of one program must not serve for the next at its place.
  for (const std::size_t slot : {0U, 9U}) {
    for (const Program& program : programs()) {
      const Case subject = caseOf(program, slot);
      ASSERT_TRUE((*guest)->run(std::span(&subject, 1), endings).has_value());
      EXPECT_EQ(failureOf(program, endings[0]), "");
    }
  }
}

}  // namespace
}  // namespace qm::differ
