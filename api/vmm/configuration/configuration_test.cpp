#include "api/vmm/configuration/configuration.h"

#include <gtest/gtest.h>

namespace qm::vmm {
namespace {

BootFiles quietKernel() {
  return {.kernel = "k", .initrd = {}, .bootArguments = "quiet"};
}

TEST(Configuration, WithoutAKernelThereIsNoMachine) {
  EXPECT_EQ(Configuration().machine().error().text(), "Cannot start microvm without kernel configuration.");
}

TEST(Configuration, WhatIsNotSetHasFirecrackersDefaults) {
  Configuration configuration;
  EXPECT_FALSE(configuration.isTouched());
  ASSERT_TRUE(configuration.set(BootFiles{.kernel = "k", .initrd = {}, .bootArguments = {}}).has_value());
  EXPECT_TRUE(configuration.isTouched());
  const MachineConfig machine = configuration.machine().value();
  EXPECT_EQ(machine.vcpus, 1U);
  EXPECT_EQ(machine.memoryBytes, 128ULL << 20U);
  EXPECT_TRUE(machine.bootArguments.starts_with("reboot=k panic=1 nomodule"));
  EXPECT_EQ(machine.entropyDevices, 0U);
}

TEST(Configuration, TheSameIdIsReplacedInItsPlace) {
  Configuration configuration;
  ASSERT_TRUE(configuration.set(quietKernel()).has_value());
  ASSERT_TRUE(configuration.set(BlockConfig{.id = "a", .path = "1"}).has_value());
  ASSERT_TRUE(configuration.set(BlockConfig{.id = "b", .path = "2"}).has_value());
  ASSERT_TRUE(configuration.set(BlockConfig{.id = "a", .path = "3"}).has_value());
  EXPECT_EQ(configuration.machine().value().blocks,
            (std::vector<BlockConfig>{{.id = "a", .path = "3"}, {.id = "b", .path = "2"}}));
}

TEST(Configuration, TheKernelIsToldOfTheRootOnce) {
  Configuration configuration;
  ASSERT_TRUE(configuration.set(quietKernel()).has_value());
  ASSERT_TRUE(configuration.set(BlockConfig{.id = "a", .path = "1", .readOnly = true, .isRoot = true}).has_value());
  EXPECT_EQ(configuration.machine().value().bootArguments, "quiet root=/dev/vda ro");
  ASSERT_TRUE(configuration.set(BootFiles{.kernel = "k", .initrd = {}, .bootArguments = "root=/dev/vdb"}).has_value());
  EXPECT_EQ(configuration.machine().value().bootArguments, "root=/dev/vdb");
}

TEST(Configuration, ThereIsOneRoot) {
  Configuration configuration;
  ASSERT_TRUE(configuration.set(BlockConfig{.id = "a", .path = "1", .isRoot = true}).has_value());
  ASSERT_TRUE(configuration.set(BlockConfig{.id = "a", .path = "2", .isRoot = true}).has_value());
  EXPECT_EQ(configuration.set(BlockConfig{.id = "b", .path = "3", .isRoot = true}).error().text(),
            "A root block device already exists!");
}

TEST(Configuration, NoMacIsUsedTwice) {
  Configuration configuration;
  const std::array<std::uint8_t, 6> mac{6, 0, 0xac, 0x10, 0, 2};
  ASSERT_TRUE(configuration.set(NetConfig{.id = "a", .tap = "t", .mac = mac}).has_value());
  ASSERT_TRUE(configuration.set(NetConfig{.id = "a", .tap = "u", .mac = mac}).has_value());
  EXPECT_EQ(configuration.set(NetConfig{.id = "b", .tap = "v", .mac = mac}).error().text(),
            "The MAC address is already in use: 06:00:ac:10:00:02");
}

}  // namespace
}  // namespace qm::vmm
