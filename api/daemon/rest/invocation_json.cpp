#include "api/daemon/rest/invocation_json.h"

#include "api/daemon/rest/exec_json.h"
#include "api/daemon/rest/lease_json.h"
#include "api/json/fields.h"

namespace qm::rest {

Result<Invocation> invocationFromJson(const boost::json::value& value) {
  Fields fields = TRY(Fields::of(value));
  Invocation invocation{.acquire = TRY(acquireFieldsFrom(fields)), .run = {}};
  const boost::json::value* exec = fields.find("exec");
  if (exec == nullptr) return Error(Remedy::fixInput, "\"exec\" is missing: the command");
  invocation.run = TRY(runFromJson(*exec).during("exec"));
  TRY(fields.finish());
  return invocation;
}

boost::json::object invocationToJson(const pool::Grant& grant, const agent::Ran& ran) {
  return {{"road", pool::name(grant.road)}, {"phases_us", toJson(grant.phases)}, {"exec", toJson(ran)}};
}

}  // namespace qm::rest
