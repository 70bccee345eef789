#include "vmm/spawner/slot_probe.h"

#include <chrono>

#include "vmm/os/copy.h"
#include "vmm/spawner/network_slots.h"

namespace qm::spawner {

namespace {

// Without privileges the copy makes copies of its own, each with half of that.
constexpr std::chrono::seconds kLimit{10};

Status makeOne(FileDescriptor&) {
  NetworkSlots slots = TRY(NetworkSlots::create(ownPrivilege()));
  const NetworkSlots::Made made = TRY(slots.make());
  TRY(slots.openSocket(made.slot, network::SlotSocket::toGuest));
  return {};
}

}  // namespace

Status probeNetworkSlot() {
  const Process copy = TRY(runInCopy({}, makeOne, kLimit));
  (void)copy.reap();
  return {};
}

}  // namespace qm::spawner
