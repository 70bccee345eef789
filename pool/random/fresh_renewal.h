// What makes a guest somebody else than whoever else ran from its memory.
#pragma once

#include "pool/clock/clock.h"
#include "vmm/guest/protocol/agent_values.h"

namespace qm::pool {

// Entropy, a machine-id that no VM had before, a nonce, and the time `now`; names and all else are for the caller to
// set.
agent::Renew freshRenewal(WallTime now);

}  // namespace qm::pool
