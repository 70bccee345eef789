// Handlers of /v1/leases. All but the list and POST want the lease's token. Those that begin do the same as the others
// without waiting (api/daemon/rest/router.h).
#pragma once

#include "api/daemon/rest/message.h"
#include "api/daemon/rest/pending.h"
#include "pool/pool.h"

namespace qm::rest {

Response acquireLease(pool::Pool& pool, const Request& request);
Begun beginAcquireLease(pool::Pool& pool, const Request& request);
// Without tokens, so it opens nothing.
Response listLeases(const pool::Pool& pool);
Response getLease(const pool::Pool& pool, const Request& request, const PathValues& path);
Response renewLease(pool::Pool& pool, const Request& request, const PathValues& path);
// 204 also for a lease that has ended: releasing twice is free.
Response releaseLease(pool::Pool& pool, const Request& request, const PathValues& path);
Begun beginReleaseLease(pool::Pool& pool, const Request& request, const PathValues& path);
Response pingLease(pool::Pool& pool, const Request& request, const PathValues& path);
Begun beginPingLease(pool::Pool& pool, const Request& request, const PathValues& path);
Response execInLease(pool::Pool& pool, const Request& request, const PathValues& path);
Begun beginExecInLease(pool::Pool& pool, const Request& request, const PathValues& path);
// 101, and the connection is one to that TCP port of the guest.
Response connectToLease(pool::Pool& pool, const Request& request, const PathValues& path);
Begun beginConnectToLease(pool::Pool& pool, const Request& request, const PathValues& path);
Response memoryOfLease(pool::Pool& pool, const Request& request, const PathValues& path);

}  // namespace qm::rest
