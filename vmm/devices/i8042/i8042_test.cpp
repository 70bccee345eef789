#include "vmm/devices/i8042/i8042.h"

#include <gtest/gtest.h>

#include "vmm/devices/line/fake_line.h"

namespace qm {
namespace {

struct Controller {
  explicit Controller(const I8042State& state = {}) : i8042({line, [this] { ++resets; }}, state) {}
  FakeEdgeLine line;
  int resets = 0;
  I8042 i8042;
};

TEST(I8042, PulsingTheResetLineResets) {
  Controller controller;
  controller.i8042.write(4, 1, 0xfe);
  EXPECT_EQ(controller.resets, 1);
}

TEST(I8042, TheSelfTestPassesAndStatusSaysThatDataWaits) {
  Controller controller;
  controller.i8042.write(4, 1, 0xaa);
  EXPECT_EQ(controller.i8042.read(4, 1) & 1U, 1U);
  EXPECT_EQ(controller.i8042.read(0, 1), 0x55U);
  EXPECT_EQ(controller.i8042.read(4, 1) & 1U, 0U);
}

TEST(I8042, CtrlAltDelInterruptsOnlyADriverThatAskedForInterrupts) {
  Controller quiet;
  quiet.i8042.pressCtrlAltDel();
  EXPECT_EQ(quiet.line.pulses, 0);
  Controller driven({.commandByte = 1});
  driven.i8042.pressCtrlAltDel();
  EXPECT_EQ(driven.line.pulses, 1);
  std::vector<std::uint64_t> codes;
  for (int i = 0; i < 4; ++i) codes.push_back(driven.i8042.read(0, 1));
  EXPECT_EQ(codes, (std::vector<std::uint64_t>{0x14, 0x11, 0xe0, 0x71}));
}

TEST(I8042, AGuestThatNeverReadsCannotMakeItGrow) {
  Controller controller;
  for (int i = 0; i < 1000; ++i) controller.i8042.write(0, 1, 0xed);
  EXPECT_EQ(controller.i8042.save().output.size(), 16U);
}

TEST(I8042, AHalfGivenCommandSurvivesARestore) {
  Controller first;
  first.i8042.write(4, 1, 0x60);
  Controller second(first.i8042.save());
  second.i8042.write(0, 1, 0x45);
  EXPECT_EQ(second.i8042.save().commandByte, 0x45);
}

}  // namespace
}  // namespace qm
