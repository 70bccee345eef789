// How a guest that has booted in a network slot gets its address: by its agent, once, before its template's warm-up. A
// clone has it from the snapshot.
#pragma once

#include <cstdint>
#include <string_view>

#include "vmm/guest/protocol/agent_values.h"

namespace qm::pool {

// A renewal that names address and gateway, under the hostname `name`: 1 to 63 letters, digits and dashes.
agent::Renew introduction(std::string_view name, std::int64_t wallClockNs);

}  // namespace qm::pool
