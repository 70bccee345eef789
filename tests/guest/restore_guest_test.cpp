// A guest that was saved goes on in another machine, and cannot tell.

#include <array>
#include <cstring>

#include "tests/guest/guest_fixture.h"
#include "tests/guest/without_clocks.h"

namespace qm {
namespace {

constexpr const char* kReady = "guest-test ready";

using test::withoutClocks;
using test::withTimersStopped;

class Restore : public GuestTest {};

TEST_F(Restore, GoesOnWhereItWas) {
  MachineState state;
  std::optional<GuestMemory> memory;
  {
    Guest guest(loop_, *hypervisor_);
    guest.boot(config());
    ASSERT_TRUE(guest.console().waitFor(kReady)) << guest.console().text();
    ASSERT_TRUE(guest.answers("secret=only-in-memory; echo se''t", "set"));
    guest.pause();
    state = guest.save();
    memory = guest.copyMemory();
    guest.resume();
    EXPECT_TRUE(guest.answers("echo original-$secret", "original-only-in-memory"));
  }
  Guest clone(loop_, *hypervisor_);
  clone.restore(state, std::move(*memory), {});
  clone.resume();
  EXPECT_TRUE(clone.answers("echo clone-$secret", "clone-only-in-memory"));
}

TEST_F(Restore, SaveRestoreSaveGivesTheSameState) {
  Guest guest(loop_, *hypervisor_);
  MachineConfig machine = config();
  machine.blocks.push_back({.id = "disk", .path = disk("disk", 1 << 20, "disk"), .readOnly = true});
  machine.vsock = VsockConfig{.guestCid = 3, .socketPath = file("first.sock")};
  machine.entropyDevices = 1;
  guest.boot(machine);
  ASSERT_TRUE(guest.console().waitFor(kReady)) << guest.console().text();
  guest.pause();
  const MachineState first = withTimersStopped(guest.save());
  Guest clone(loop_, *hypervisor_);
  clone.restore(first, guest.copyMemory(),
                {.blocks = machine.blocks, .nets = {}, .vsockSocketPath = file("second.sock")});
  const MachineState second = clone.save();
  const MachineState a = withoutClocks(first), b = withoutClocks(second);
  ASSERT_EQ(a.cpus.size(), b.cpus.size());
  EXPECT_EQ(a.cpus[0].registers, b.cpus[0].registers);
  EXPECT_EQ(a.cpus[0].system, b.cpus[0].system);
  EXPECT_EQ(a.cpus[0].extended, b.cpus[0].extended);
  for (std::size_t at = 0; at < a.cpus[0].localApic.registers.size(); at += 4) {
    EXPECT_EQ(std::memcmp(&a.cpus[0].localApic.registers.at(at), &b.cpus[0].localApic.registers.at(at), 4), 0)
        << fmt::format("register {:#x} of the local APIC", at);
  }
  EXPECT_EQ(a.cpus[0].msrs, b.cpus[0].msrs);
  EXPECT_EQ(a.cpus[0].events, b.cpus[0].events);
  EXPECT_EQ(a.vm, b.vm);
  EXPECT_EQ(a.serial, b.serial);
  EXPECT_EQ(a.virtioDevices, b.virtioDevices);
  EXPECT_EQ(a, b);
}

TEST_F(Restore, FourBusyProcessorsAreAllBusyAfterwards) {
  MachineState state;
  std::optional<GuestMemory> memory;
  {
    Guest guest(loop_, *hypervisor_);
    MachineConfig machine = config();
    machine.vcpus = 4;
    guest.boot(machine);
    ASSERT_TRUE(guest.console().waitFor(kReady)) << guest.console().text();
    ASSERT_TRUE(
        guest.answers("for c in 0 1 2 3; do taskset -p $((1 << c)) $$ >/dev/null; "
                      "(i=0; while true; do i=$((i+1)); echo $i >/tmp/count$c; done) & done; "
                      "taskset -p f $$ >/dev/null; sleep 1; echo bu''sy",
                      "busy"));
    guest.pause();
    state = guest.save();
    memory = guest.copyMemory();
  }
  Guest clone(loop_, *hypervisor_);
  clone.restore(state, std::move(*memory), {});
  clone.resume();
  EXPECT_TRUE(clone.answers("echo online=$(cat /sys/devices/system/cpu/online)", "online=0-3"));
  // Each counter moves on, so each processor runs. (A file that is just being written may be read empty.)
  EXPECT_TRUE(
      clone.answers("for c in 0 1 2 3; do a=$(cat /tmp/count$c); for t in $(seq 40); do sleep 0.5; "
                    "b=$(cat /tmp/count$c); [ -n \"$b\" ] && [ \"$a\" != \"$b\" ] && echo mo''ves && break; "
                    "done; done | wc -l | sed s/^/moving=/",
                    "moving=4"));
}

TEST_F(Restore, TwentyFourDevicesWorkAfterwards) {
  MachineState state;
  std::optional<GuestMemory> memory;
  MachineConfig machine = config();
  machine.entropyDevices = 1;
  for (int i = 0; i < 23; ++i) {
    const std::string id = fmt::format("disk{}", i);
    machine.blocks.push_back({.id = id, .path = disk(id, 1 << 20, fmt::format("this is {}\n", id))});
  }
  {
    Guest guest(loop_, *hypervisor_);
    guest.boot(machine);
    ASSERT_TRUE(guest.console().waitFor(kReady)) << guest.console().text();
    guest.pause();
    state = guest.save();
    memory = guest.copyMemory();
  }
  ASSERT_EQ(state.virtioDevices.size(), 24U);
  Guest clone(loop_, *hypervisor_);
  clone.restore(state, std::move(*memory), {.blocks = machine.blocks, .nets = {}, .vsockSocketPath = {}});
  clone.resume();
  EXPECT_TRUE(
      clone.answers("for d in /dev/vd*; do echo written | dd of=$d bs=512 seek=8 conv=sync 2>/dev/null; done; sync; "
                    "echo 3 >/proc/sys/vm/drop_caches; "
                    "for d in /dev/vd*; do head -n 1 $d; done | sort | uniq | wc -l | sed s/^/re''ad=/",
                    "read=23"));
  EXPECT_TRUE(clone.answers("head -c 16 /dev/hwrng | wc -c | sed s/^/ran''dom=/", "random=16"));
  for (const BlockConfig& block : machine.blocks) {
    std::array<std::byte, 7> bytes{};
    ASSERT_TRUE(readAt(openFile(block.path, OpenMode::read).value(), 4096, bytes).has_value());
    EXPECT_EQ(std::memcmp(bytes.data(), "written", bytes.size()), 0) << block.id;
  }
}

}  // namespace
}  // namespace qm
