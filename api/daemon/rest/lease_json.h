// Leases in JSON: what is asked when one is acquired or renewed, and what is shown of it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "api/json/fields.h"
#include "pool/pool.h"
#include "vmm/result/result.h"

namespace qm::rest {

Result<pool::AcquireRequest> acquireRequestFromJson(const boost::json::value& value);
// For a body that has others besides: finish() is its reader's.
Result<pool::AcquireRequest> acquireFieldsFrom(Fields& fields);
// {"ttl_seconds": N}
Result<std::chrono::seconds> ttlFromJson(const boost::json::value& value);

boost::json::object toJson(const pool::Grant& grant);
boost::json::object toJson(const pool::LeaseView& lease);
// Nonces are texts of 16 hexadecimal digits: JSON's numbers hold 53 bits for many a reader.
boost::json::object toJson(const pool::Reply& reply);
boost::json::object toJson(const pool::MemoryUse& use);
// Microseconds by phase, a phase that was tried again added up, and their "total".
boost::json::object toJson(const pool::Phases& phases);

}  // namespace qm::rest
