// What makes a clone somebody else than its template and its siblings.
#pragma once

#include <string_view>

#include "pool/clock/clock.h"
#include "pool/template/recipe.h"
#include "vmm/guest/protocol/agent_values.h"

namespace qm::pool {

// Entropy, hostname, machine-id and clone id that no VM had before, a nonce, the time `now`, and the recipe's hooks.
// Send it at once: the guest's clock is set to `now`.
agent::Renew freshIdentity(const Recipe& recipe, std::string_view vmId, WallTime now);

}  // namespace qm::pool
