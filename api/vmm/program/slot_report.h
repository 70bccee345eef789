// What the program tells on its slot page (vmm/slot) besides what the controller does: the loop's heartbeat, what vCPUs
// execute, and why they leave their guest.
#pragma once

#include <cstddef>
#include <functional>

#include "vmm/hypervisor/exit.h"
#include "vmm/loop/event_loop.h"
#include "vmm/slot/slot_writer.h"

namespace qm::vmm {

slot::ExitKind exitKindOf(const VcpuExit& exit);

// As MachineWiring::onExit; empty where there is no page, which else outlives it.
std::function<void(std::size_t, const VcpuExit&)> exitsTo(slot::Writer* page);
// The page outlives the loop. Before that runs.
void reportBeats(EventLoop& loop, slot::Writer& page);

}  // namespace qm::vmm
