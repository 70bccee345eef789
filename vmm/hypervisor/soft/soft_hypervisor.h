// A CPU in software behind the seam, with its interrupt controllers and clocks: for every x86-64 host without KVM.
#pragma once

#include <memory>

#include "vmm/hypervisor/hypervisor.h"
#include "vmm/hypervisor/soft/settings/soft_settings.h"
#include "vmm/result/result.h"

namespace qm {

// giveUp when the host's CPU lacks what every guest is offered (x86-64-v2); the sentence names it.
Result<std::unique_ptr<Hypervisor>> openSoft(const SoftSettings& settings = {});

}  // namespace qm
