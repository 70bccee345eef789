// A machine in memory that another used before is the clone that it would be in fresh memory.

#include <algorithm>
#include <cstring>
#include <set>

#include "tests/guest/guest_fixture.h"
#include "tests/guest/without_clocks.h"

namespace qm {
namespace {

using test::withoutClocks;
using test::withTimersStopped;

// Where they differ, by pages; they are of the same size.
std::set<std::size_t> differingPages(const GuestMemory& a, const GuestMemory& b) {
  constexpr std::size_t kPage = 4096;
  std::set<std::size_t> pages;
  std::size_t number = 0;
  EXPECT_EQ(a.regions().size(), b.regions().size());
  for (std::size_t i = 0; i < std::min(a.regions().size(), b.regions().size()); ++i) {
    const auto left = a.regions()[i].host, right = b.regions()[i].host;
    EXPECT_EQ(left.size(), right.size());
    for (std::size_t at = 0; at < std::min(left.size(), right.size()); at += kPage, ++number)
      if (std::memcmp(left.data() + at, right.data() + at, kPage) != 0) pages.insert(number);
  }
  return pages;
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
  const MachineState state = withTimersStopped(guest.save());
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
  ASSERT_FALSE(differingPages(used.machine().memory(), original).empty());

  used.reset(state, on("reset.sock"));
  EXPECT_FALSE(std::filesystem::exists(file("used.sock")));
  // KVM tells the guest the time of day as soon as it is restored, on a page of the guest's.
  EXPECT_EQ(differingPages(used.machine().memory(), original), differingPages(fresh.machine().memory(), original));
  EXPECT_LE(differingPages(used.machine().memory(), original).size(), hypervisor_->name() == "kvm" ? 1U : 0U);
  EXPECT_EQ(withoutClocks(used.save()), withoutClocks(fresh.save()));
  used.resume();
  EXPECT_TRUE(used.answers("echo na''me=$(hostname) files=$(ls /tmp | wc -l)", "name=(none) files=0"));
}

}  // namespace
}  // namespace qm
