#include "vmm/log/log.h"

#include <gtest/gtest.h>

namespace qm {
namespace {

TEST(Log, FieldsFollowTheEventInOrder) {
  EXPECT_EQ(formatEvent("vm.started", {{"id", "demo"}, {"vcpus", 2}}), "vm.started id=demo vcpus=2");
}

TEST(Log, AHostileValueCannotForgeASecondFieldOrLine) {
  EXPECT_EQ(formatEvent("agent.refused", {{"reason", "x\n2026 info vm.started id=\"root\""}}),
            R"(agent.refused reason="x\n2026 info vm.started id=\"root\"")");
  EXPECT_EQ(formatEvent("e", {{"v", ""}, {"w", "\x1b[2J"}}), R"(e v="" w="\x1b[2J")");
}

}  // namespace
}  // namespace qm
