// A command for a guest and what came of it, in JSON.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "vmm/guest/protocol/agent_values.h"
#include "vmm/result/result.h"

namespace qm::rest {

Result<agent::Run> runFromJson(const boost::json::value& value);
boost::json::object toJson(const agent::Ran& ran);

}  // namespace qm::rest
