// The table of all routes. The OpenAPI document (api/openapi/quickmatch.json) has the same ones; a test compares them.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "api/daemon/rest/router.h"
#include "pool/pool.h"

namespace qm::rest {

// What the handlers speak to; outlives the routes.
struct Service {
  pool::Pool& pool;
  std::function<std::string()> metricsText;  // any thread
  std::string hypervisor;                    // "kvm" or "soft": what runs the guests
};

std::vector<Route> routes(const Service& service);

}  // namespace qm::rest
