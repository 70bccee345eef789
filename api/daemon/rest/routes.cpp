#include "api/daemon/rest/routes.h"

#include "api/daemon/rest/invocation_handlers.h"
#include "api/daemon/rest/lease_handlers.h"
#include "api/daemon/rest/service_handlers.h"
#include "api/daemon/rest/template_handlers.h"

namespace qm::rest {

namespace {

using R = const Request&;
using P = const PathValues&;

std::vector<Route> templateRoutes(pool::Pool& pool) {
  return {
      {"GET", "/v1/templates", "listTemplates", [&pool](R, P) { return listTemplates(pool); }},
      {"GET", "/v1/templates/{name}", "getTemplate", [&pool](R, P path) { return getTemplate(pool, path); }},
      {"PUT", "/v1/templates/{name}", "putTemplate", [&pool](R ask, P path) { return putTemplate(pool, ask, path); }},
      {"DELETE", "/v1/templates/{name}", "deleteTemplate", [&pool](R, P path) { return deleteTemplate(pool, path); }},
      {"POST", "/v1/templates/{name}/build", "buildTemplate", [&pool](R, P path) { return buildTemplate(pool, path); }},
  };
}

std::vector<Route> leaseRoutes(pool::Pool& pool) {
  return {
      {"POST", "/v1/leases", "acquireLease", [&pool](R ask, P) { return acquireLease(pool, ask); }, Work::mayWait,
       [&pool](R ask, P) { return beginAcquireLease(pool, ask); }},
      {"GET", "/v1/leases", "listLeases", [&pool](R, P) { return listLeases(pool); }, Work::atOnce},
      {"GET", "/v1/leases/{id}", "getLease", [&pool](R ask, P path) { return getLease(pool, ask, path); },
       Work::atOnce},
      {"DELETE", "/v1/leases/{id}", "releaseLease", [&pool](R ask, P path) { return releaseLease(pool, ask, path); },
       Work::mayWait, [&pool](R ask, P path) { return beginReleaseLease(pool, ask, path); }},
      {"POST", "/v1/leases/{id}/renew", "renewLease", [&pool](R ask, P path) { return renewLease(pool, ask, path); },
       Work::atOnce},
      {"GET", "/v1/leases/{id}/ping", "pingLease", [&pool](R ask, P path) { return pingLease(pool, ask, path); },
       Work::mayWait, [&pool](R ask, P path) { return beginPingLease(pool, ask, path); }},
      {"POST", "/v1/leases/{id}/exec", "execInLease", [&pool](R ask, P path) { return execInLease(pool, ask, path); },
       Work::mayWait, [&pool](R ask, P path) { return beginExecInLease(pool, ask, path); }},
      {"GET", "/v1/leases/{id}/tcp/{port}", "connectToLease",
       [&pool](R ask, P path) { return connectToLease(pool, ask, path); }, Work::mayWait,
       [&pool](R ask, P path) { return beginConnectToLease(pool, ask, path); }},
      {"GET", "/v1/leases/{id}/memory", "memoryOfLease",
       [&pool](R ask, P path) { return memoryOfLease(pool, ask, path); }},
      {"POST", "/v1/invocations", "invoke", [&pool](R ask, P) { return invoke(pool, ask); }, Work::mayWait,
       [&pool](R ask, P) { return beginInvoke(pool, ask); }},
  };
}

std::vector<Route> serviceRoutes(const Service& service) {
  pool::Pool& pool = service.pool;
  return {
      {"GET", "/v1/pools", "listPools", [&pool](R, P) { return listPools(pool); }, Work::atOnce},
      {"GET", "/healthz", "health", [runs = service.hypervisor](R, P) { return health(runs); }, Work::atOnce},
      {"GET", "/readyz", "readiness", [&pool](R, P) { return readiness(pool); }, Work::atOnce},
      {"GET", "/metrics", "metrics", [text = service.metricsText](R, P) { return metrics(text()); }},
  };
}

}  // namespace

std::vector<Route> routes(const Service& service) {
  std::vector<Route> all = templateRoutes(service.pool);
  for (auto&& more : {leaseRoutes(service.pool), serviceRoutes(service)})
    all.insert(all.end(), more.begin(), more.end());
  return all;
}

}  // namespace qm::rest
