// Whether guests may have a network.
#pragma once

#include "api/cli/doctor/finding.h"
#include "vmm/result/result.h"

namespace qm::cli {

// What making a network slot came to; an error's text says what can be done.
Finding checkNetworkSlots(const Status& made);

}  // namespace qm::cli
