// A VM of the CPU in software: memory, interrupt controllers and time, and the vCPUs that share them. See Vm for the
// contract. Eventfds are not offered: every access of a device comes out of run().
#pragma once

#include <memory>

#include "vmm/hypervisor/hypervisor.h"
#include "vmm/hypervisor/soft/host/host_counter.h"
#include "vmm/hypervisor/soft/soft_hypervisor.h"
#include "vmm/result/result.h"

namespace qm::soft {

// counter: of the host; without meaning to SoftClock::instructions.
Result<std::unique_ptr<Vm>> createVm(const SoftSettings& settings, HostCounter counter, PitModel pit);

}  // namespace qm::soft
