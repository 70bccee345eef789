#include "api/daemon/rest/invocation_handlers.h"

#include <fmt/format.h>

#include "api/daemon/rest/answer.h"
#include "api/daemon/rest/invocation_json.h"

namespace qm::rest {

Response invoke(pool::Pool& pool, const Request& request) {
  const boost::json::value body = TRY(bodyOf(request));
  const Invocation wanted = TRY(understood(invocationFromJson(body)));
  const std::string& name = wanted.acquire.templateName;
  if (!pool.findTemplate(name)) {
    return respond(
        {.code = ProblemCode::noSuchTemplate, .detail = fmt::format("there is no template named \"{}\"", name)});
  }
  const pool::Grant grant =
      TRY(done(pool.acquire(wanted.acquire), fmt::format("no VM of the template \"{}\" was had", name)));
  Result<agent::Ran> outcome = pool.exec(grant.id, wanted.run);
  // Its lease may have ended under the command: then it is gone already.
  static_cast<void>(pool.release(grant.id));
  const agent::Ran ran = TRY(done(std::move(outcome), "the command was not run", ProblemCode::guestFailed));
  return jsonResponse(200, invocationToJson(grant, ran));
}

}  // namespace qm::rest
