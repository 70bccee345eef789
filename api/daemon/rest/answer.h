// How a handler says yes or no. TRY works on both: a handler returns a Response, and so is the "error" of these.
//
//   const pool::AcquireRequest wanted = TRY(understood(acquireRequestFromJson(body)));
//   const pool::Grant grant = TRY(done(pool.acquire(wanted), "no VM was had"));
//   return jsonResponse(201, toJson(grant));
#pragma once

#include <cstdint>
#include <expected>
#include <string_view>

#include <boost/json/value.hpp>

#include "api/daemon/rest/message.h"
#include "api/daemon/rest/problem.h"
#include "vmm/result/result.h"

namespace qm::rest {

template <class T>
using Answered = std::expected<T, Response>;

Response jsonResponse(std::uint16_t status, const boost::json::value& document);
Response emptyResponse();  // 204

// The body as JSON.
Answered<boost::json::value> bodyOf(const Request& request);

// What the request says, or 400.
template <class T>
Answered<T> understood(Result<T> parsed) {
  if (parsed.has_value()) return Answered<T>(std::move(parsed).value());
  return std::unexpected(respond({.code = ProblemCode::invalidRequest, .detail = parsed.error().text()}));
}

// What the pool did, or the problem that its error tells (problemOf).
template <class T>
Answered<T> done(Result<T> outcome, std::string_view whatFailed, ProblemCode otherwise = ProblemCode::internal) {
  if (!outcome.has_value()) return std::unexpected(respond(problemOf(outcome.error(), whatFailed, otherwise)));
  if constexpr (std::is_void_v<T>) {
    return {};
  } else {
    return Answered<T>(std::move(outcome).value());
  }
}

}  // namespace qm::rest
