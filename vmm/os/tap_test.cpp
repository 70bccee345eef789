#include "vmm/os/tap.h"

#include <gtest/gtest.h>

namespace qm {
namespace {

TEST(Tap, ANameThatNoInterfaceCanHaveIsTheCallersToFix) {
  for (const char* name : {"", "sixteen-letters-", "tap%d", "a/b", "a:b", "a b", ".."}) {
    const auto tap = openTap(name);
    ASSERT_FALSE(tap.has_value()) << name;
    EXPECT_EQ(tap.error().remedy(), Remedy::fixInput);
  }
}

TEST(FrameSocketPair, KeepsFramesApartAndHasNoneToReadAtFirst) {
  auto [here, there] = frameSocketPair().value();
  std::byte read[8];
  EXPECT_EQ(readFrame(there, read).error().remedy(), Remedy::retry);
  const std::byte frames[5]{};
  ASSERT_TRUE(writeFrame(here, std::span(frames).first(2)).has_value());
  ASSERT_TRUE(writeFrame(here, std::span(frames).first(3)).has_value());
  EXPECT_EQ(readFrame(there, read).value(), 2U);
  EXPECT_EQ(readFrame(there, read).value(), 3U);
  here.close();
  EXPECT_EQ(readFrame(there, read).value(), 0U);
}

}  // namespace
}  // namespace qm
