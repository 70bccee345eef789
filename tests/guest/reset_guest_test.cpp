// A machine in memory that another used before is the clone that it would be in fresh memory.

#include <cstring>

#include "tests/guest/guest_fixture.h"
#include "tests/guest/without_clocks.h"

namespace qm {
namespace {

using test::withoutClocks;

bool haveTheSameBytes(const GuestMemory& a, const GuestMemory& b) {
  const auto left = a.regions(), right = b.regions();
  if (left.size() != right.size()) return false;
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (left[i].host.size() != right[i].host.size()) return false;
    if (std::memcmp(left[i].host.data(), right[i].host.data(), left[i].host.size()) != 0) return false;
  }
  return true;
}

class Reset : public GuestTest {
 protected:
  MachineConfig machineOfEachKind() const {
    MachineConfig machine = config();
    machine.blocks.push_back({.id = "disk", .path = disk("disk", 1 << 20, "disk"), .readOnly = true});
    machine.vsock = VsockConfig{.guestCid = 3, .socketPath = file("first.sock")};
    machine.entropyDevices = 1;
    return machine;
  }
};

TEST_F(Reset, LeavesNoBitOfTheFormerGuest) {
  const MachineConfig machine = machineOfEachKind();
  Guest guest(loop_, *hypervisor_);
  guest.boot(machine);
  ASSERT_TRUE(guest.console().waitFor("guest-test ready")) << guest.console().text();
  guest.pause();
  const MachineState state = guest.save();
  const GuestMemory original = guest.copyMemory();
  const auto on = [&](const char* socket) {
    return RestoreConfig{.blocks = machine.blocks, .nets = {}, .vsockSocketPath = file(socket)};
  };
  Guest fresh(loop_, *hypervisor_);
  fresh.restore(state, guest.copyMemory(), on("fresh.sock"));

  Guest used(loop_, *hypervisor_);
  used.restore(state, guest.copyMemory(), on("used.sock"));
  used.resume();
  ASSERT_TRUE(
      used.answers("hostname tenant; dd if=/dev/urandom of=/tmp/fill bs=64k count=200 2>/dev/null; "
                   "cat /dev/vda >/dev/null; head -c 16 /dev/hwrng >/dev/null; (while true; do :; done) & echo us''ed",
                   "used"));
  used.pause();
  ASSERT_FALSE(haveTheSameBytes(used.machine().memory(), original));

  used.reset(state, on("reset.sock"));
  EXPECT_FALSE(std::filesystem::exists(file("used.sock")));
  EXPECT_TRUE(haveTheSameBytes(used.machine().memory(), original));
  EXPECT_EQ(withoutClocks(used.save()), withoutClocks(fresh.save()));
  used.resume();
  EXPECT_TRUE(used.answers("echo na''me=$(hostname) files=$(ls /tmp | wc -l)", "name=(none) files=0"));
}

}  // namespace
}  // namespace qm
