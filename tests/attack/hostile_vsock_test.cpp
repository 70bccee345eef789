// A guest that does one hostile thing to its vsock device, while programs of the host connect to it and send.
#include <gtest/gtest.h>

#include "tests/attack/busy_host.h"
#include "tests/attack/deed_name.h"
#include "tests/attack/hostile_guest.h"

namespace qm::test {
namespace {

class HostileVsockDeed : public HostileBesideNeighbour {};

TEST_P(HostileVsockDeed, LeavesItsVmmAliveOrEndedWithAReason) {
  HostileGuest guest(linuxGuest(GetParam()));
  const BusyHost host(guest.vmm.folder() / "vsock.sock");
  expectLeavesItsVmmAliveOrEndedWithAReason(guest);
  neighbour().expectTheSameAnswer();
}

class HostileVsockSaved : public HostileVsockDeed {};

TEST_P(HostileVsockSaved, AmidItsDeedGoesOnInAnotherVmm) {
  expectGoesOnInAnotherVmm(linuxGuest(GetParam()));
}

INSTANTIATE_TEST_SUITE_P(Deeds, HostileVsockSaved,
                         // Those that need no connection, which would not outlive its VMM.
                         testing::Values("vsock-others-addresses", "vsock-to-nobody", "vsock-rings-in-motion",
                                         "vsock-headers-cut"),
                         &deedName);
INSTANTIATE_TEST_SUITE_P(Deeds, HostileVsockDeed,
                         testing::Values("vsock-lengths-lie", "vsock-unknown-operations", "vsock-others-addresses",
                                         "vsock-credit-forged", "vsock-beyond-credit", "vsock-to-nobody",
                                         "vsock-requests-without-end", "vsock-shutdown-nonsense", "vsock-too-soon",
                                         "vsock-headers-cut", "vsock-bad-buffers", "vsock-events-abused",
                                         "vsock-rings-in-motion", "vsock-reset-in-flight"),
                         &deedName);

}  // namespace
}  // namespace qm::test
