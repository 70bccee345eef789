// One command in a VM of its own, in JSON: what is asked and what came of it.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "pool/pool.h"
#include "vmm/guest/protocol/agent_values.h"
#include "vmm/result/result.h"

namespace qm::rest {

struct Invocation {
  pool::AcquireRequest acquire;
  agent::Run run;
};

// The fields of an acquire, and "exec": those of a command.
Result<Invocation> invocationFromJson(const boost::json::value& value);
// The VM's road and phases, and "exec": what came of the command.
boost::json::object invocationToJson(const pool::Grant& grant, const agent::Ran& ran);

}  // namespace qm::rest
