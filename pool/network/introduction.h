// How a guest that has booted in a network slot gets its address: by its agent, once, before its template's warm-up. A
// clone has it from the snapshot.
#pragma once

#include <string_view>

#include "pool/clock/clock.h"
#include "vmm/guest/protocol/agent_values.h"

namespace qm::pool {

// A renewal that names address and gateway, under the hostname `name`: 1 to 63 letters, digits and dashes.
agent::Renew introduction(std::string_view name, WallTime now);

}  // namespace qm::pool
