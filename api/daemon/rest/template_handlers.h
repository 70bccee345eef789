// Handlers of /v1/templates.
#pragma once

#include "api/daemon/rest/message.h"
#include "pool/pool.h"

namespace qm::rest {

Response listTemplates(const pool::Pool& pool);
Response getTemplate(const pool::Pool& pool, const PathValues& path);
Response putTemplate(pool::Pool& pool, const Request& request, const PathValues& path);
Response deleteTemplate(pool::Pool& pool, const PathValues& path);
// Answers at once; the template's status tells how it goes.
Response buildTemplate(pool::Pool& pool, const PathValues& path);

}  // namespace qm::rest
