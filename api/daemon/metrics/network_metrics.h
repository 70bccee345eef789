// What goes on in guests' networks, as Prometheus reads it.
#pragma once

#include <cstdint>
#include <string>

#include "api/daemon/egress/egress_proxy.h"

namespace qm {

// Text format 0.0.4: slots that are ready, and connections that guests asked for, by outcome.
std::string networkMetricsText(std::uint32_t readySlots, const EgressCounts& egress);

}  // namespace qm
