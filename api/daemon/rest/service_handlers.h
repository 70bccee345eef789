// Handlers that tell about the daemon itself: /v1/pools, /healthz, /readyz, /metrics.
#pragma once

#include <string>
#include <string_view>

#include "api/daemon/rest/message.h"
#include "pool/pool.h"

namespace qm::rest {

Response listPools(const pool::Pool& pool);
// The process answers, and what runs its guests; nothing more.
Response health(std::string_view hypervisor);
// 200 once no template that should have clones is still without a snapshot (one whose build failed counts as decided:
// its leases take the boot road), else 503. The body tells each template's state.
Response readiness(const pool::Pool& pool);
// Prometheus's text format, version 0.0.4.
Response metrics(std::string text);

}  // namespace qm::rest
