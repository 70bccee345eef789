#include "tests/differ/assembly/programs.h"

#include <gtest/gtest.h>

#include "tests/differ/native_machine.h"

namespace qm::differ {
namespace {

TEST(Programs, PassOnTheHostsOwnCpu) {
  const Generator generator;
  auto native = openNative(generator);
  if (!native.has_value()) GTEST_SKIP() << native.error().text();
  for (const Program& program : programs()) {
    const Case subject = caseOf(program, 0);
    std::vector<Ending> endings(1);
    ASSERT_TRUE((*native)->run(std::span(&subject, 1), endings).has_value());
    EXPECT_EQ(failureOf(program, endings[0]), "");
  }
}

TEST(Programs, AFailedCheckNamesItsLine) {
  // mov eax, 42; ret
  constexpr std::array<std::uint8_t, 6> kFails{0xb8, 42, 0, 0, 0, 0xc3};
  const Program program{.name = "Fails", .file = "somewhere.S", .code = kFails};
  const Generator generator;
  auto native = openNative(generator);
  if (!native.has_value()) GTEST_SKIP() << native.error().text();
  const Case subject = caseOf(program, 5);
  std::vector<Ending> endings(1);
  ASSERT_TRUE((*native)->run(std::span(&subject, 1), endings).has_value());
  EXPECT_EQ(failureOf(program, endings[0]), "Fails (somewhere.S:42): the check fails");
}

}  // namespace
}  // namespace qm::differ
