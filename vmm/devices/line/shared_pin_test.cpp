#include "vmm/devices/line/shared_pin.h"

#include <vector>

#include <gtest/gtest.h>

namespace qm {
namespace {

TEST(SharedPin, StaysRaisedUntilTheLastDeviceLetsGo) {
  std::vector<bool> levels;
  SharedPin pin([&](bool raised) { levels.push_back(raised); });
  const auto first = pin.addWire();
  const auto second = pin.addWire();
  first->set(true);
  second->set(true);
  first->set(false);
  EXPECT_EQ(levels, (std::vector{true}));
  second->set(false);
  EXPECT_EQ(levels, (std::vector{true, false}));
}

TEST(SharedPin, SettingALevelTwiceCountsOnce) {
  std::vector<bool> levels;
  SharedPin pin([&](bool raised) { levels.push_back(raised); });
  const auto wire = pin.addWire();
  wire->set(true);
  wire->set(true);
  wire->set(false);
  EXPECT_EQ(levels, (std::vector{true, false}));
}

TEST(SharedPin, AWireThatGoesAwayLetsGoOfThePin) {
  std::vector<bool> levels;
  SharedPin pin([&](bool raised) { levels.push_back(raised); });
  pin.addWire()->set(true);
  EXPECT_EQ(levels, (std::vector{true, false}));
}

TEST(SharedPin, AWireThatWasRaisedBeforeDrivesThePinOnlyWhenItLetsGo) {
  std::vector<bool> levels;
  SharedPin pin([&](bool raised) { levels.push_back(raised); });
  const auto wire = pin.addRaisedWire();
  wire->set(true);
  EXPECT_TRUE(levels.empty());
  wire->set(false);
  wire->set(true);
  EXPECT_EQ(levels, (std::vector{false, true}));
}

}  // namespace
}  // namespace qm
