// Whether this host lets a network slot be made, tried for real: for `quickmatch doctor`.
#pragma once

#include "vmm/result/result.h"

namespace qm::spawner {

// As a spawner with this process's rights makes one, with a socket to its guest; in a copy, which leaves nothing
// behind. The error says what the host's administrator can do. The caller has one thread.
Status probeNetworkSlot();

}  // namespace qm::spawner
