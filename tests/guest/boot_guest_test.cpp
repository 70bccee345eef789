// Linux boots, by every protocol, on one vCPU and on four, and ends.

#include "tests/guest/guest_fixture.h"

namespace qm {
namespace {

constexpr const char* kReady = "guest-test ready";

class BootProtocol : public GuestTest, public testing::WithParamInterface<std::pair<boot::Protocol, const char*>> {};

TEST_P(BootProtocol, BringsTheGuestToItsShell) {
  Guest guest(loop_, *hypervisor_);
  MachineConfig machine = config();
  machine.protocol = GetParam().first;
  machine.kernel = machine.kernel.parent_path() / GetParam().second;
  guest.boot(machine);
  ASSERT_TRUE(guest.console().waitFor(kReady)) << guest.console().text();
  EXPECT_TRUE(guest.answers("echo to''gether", "together"));
}

INSTANTIATE_TEST_SUITE_P(All, BootProtocol,
                         testing::Values(std::pair(boot::Protocol::pvh, "vmlinux"),
                                         std::pair(boot::Protocol::linux64, "vmlinux"),
                                         std::pair(boot::Protocol::linux64, "bzImage")),
                         [](const auto& info) {
                           return std::string(info.param.first == boot::Protocol::pvh ? "Pvh" : "Linux64") +
                                  info.param.second;
                         });

class Boot : public GuestTest {};

TEST_F(Boot, TheTimeToInitIsMeasuredByTheGuestsWriteToTheBootTimer) {
  Guest guest(loop_, *hypervisor_);
  guest.boot(config());
  ASSERT_TRUE(guest.console().waitFor(kReady)) << guest.console().text();
  std::optional<std::chrono::nanoseconds> time;
  guest.run([&] { time = guest.machine().bootTime(); });
  ASSERT_TRUE(time.has_value());
  EXPECT_GT(time->count(), 0);
  fmt::print("InstanceStart to init: {} ms\n", time->count() / 1'000'000);
}

TEST_F(Boot, RebootEndsTheMachine) {
  Guest guest(loop_, *hypervisor_);
  guest.boot(config());
  ASSERT_TRUE(guest.console().waitFor(kReady)) << guest.console().text();
  guest.type("reboot -f");
  const std::optional<MachineEnd> end = guest.console().waitForEnd();
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(end->reason, EndReason::reset);
}

TEST_F(Boot, FourProcessorsAreOnline) {
  Guest guest(loop_, *hypervisor_);
  MachineConfig machine = config();
  machine.vcpus = 4;
  guest.boot(machine);
  ASSERT_TRUE(guest.console().waitFor(kReady)) << guest.console().text();
  EXPECT_TRUE(guest.answers("echo online=$(cat /sys/devices/system/cpu/online)", "online=0-3"));
}

TEST_F(Boot, APausedGuestStandsStillAndGoesOn) {
  Guest guest(loop_, *hypervisor_);
  guest.boot(config());
  ASSERT_TRUE(guest.console().waitFor(kReady)) << guest.console().text();
  for (int round = 0; round < 20; ++round) {
    guest.pause();
    guest.resume();
    ASSERT_TRUE(guest.answers(fmt::format("echo ro''und-{}", round), fmt::format("round-{}", round)));
  }
  guest.pause();
  guest.type("echo after''wards");
  EXPECT_FALSE(guest.console().waitFor("afterwards", std::chrono::seconds(1)));
  guest.resume();
  EXPECT_TRUE(guest.console().waitFor("afterwards"));
}

TEST_F(Boot, TwentyFourDevicesWork) {
  Guest guest(loop_, *hypervisor_);
  MachineConfig machine = config();
  machine.entropyDevices = 1;
  for (int i = 0; i < 23; ++i) {
    const std::string id = fmt::format("disk{}", i);
    machine.blocks.push_back(
        {.id = id, .path = disk(id, 1 << 20, fmt::format("this is {}\n", id)), .readOnly = i % 2 == 0});
  }
  guest.boot(machine);
  ASSERT_TRUE(guest.console().waitFor(kReady)) << guest.console().text();
  EXPECT_TRUE(guest.answers("echo disks=$(ls /sys/block | grep -c vd)", "disks=23"));
  EXPECT_TRUE(guest.answers("for d in /dev/vd*; do head -n 1 $d; done | sort | uniq | wc -l", "23"));
  EXPECT_TRUE(guest.answers("cat /sys/class/misc/hw_random/rng_current", "virtio_rng"));
}

}  // namespace
}  // namespace qm
