// The handler of /v1/invocations: a lease that lasts for one command, in one request instead of three.
#pragma once

#include "api/daemon/rest/message.h"
#include "api/daemon/rest/pending.h"
#include "pool/pool.h"

namespace qm::rest {

// Answers when the command has ended; by then its VM is killed, whatever came of it.
Response invoke(pool::Pool& pool, const Request& request);
// Its line without waiting; the command has a thread.
Begun beginInvoke(pool::Pool& pool, const Request& request);

}  // namespace qm::rest
