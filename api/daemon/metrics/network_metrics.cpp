#include "api/daemon/metrics/network_metrics.h"

#include <fmt/format.h>

namespace qm {

std::string networkMetricsText(std::uint32_t readySlots, const EgressCounts& egress) {
  return fmt::format(
      "# HELP quickmatch_network_slots_ready Network slots made ahead\n"
      "# TYPE quickmatch_network_slots_ready gauge\n"
      "quickmatch_network_slots_ready {}\n"
      "# HELP quickmatch_egress_total Connections that guests asked for, by outcome\n"
      "# TYPE quickmatch_egress_total counter\n"
      "quickmatch_egress_total{{outcome=\"connected\"}} {}\n"
      "quickmatch_egress_total{{outcome=\"refused\"}} {}\n"
      "quickmatch_egress_total{{outcome=\"failed\"}} {}\n",
      readySlots, egress.connected, egress.refused, egress.failed);
}

}  // namespace qm
