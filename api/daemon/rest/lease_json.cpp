#include "api/daemon/rest/lease_json.h"

#include <fmt/format.h>

#include "api/daemon/rest/time_text.h"

namespace qm::rest {

namespace {

constexpr std::uint64_t kLongestTtlSeconds = 30ULL * 86'400;
constexpr std::uint64_t kUsualTtlSeconds = 60;
constexpr std::uint64_t kLongestWaitMs = 600'000;

}  // namespace

Result<pool::AcquireRequest> acquireRequestFromJson(const boost::json::value& value) {
  Fields fields = TRY(Fields::of(value));
  pool::AcquireRequest request = TRY(acquireFieldsFrom(fields));
  TRY(fields.finish());
  return request;
}

Result<pool::AcquireRequest> acquireFieldsFrom(Fields& fields) {
  pool::AcquireRequest request{.templateName = TRY(fields.text("template"))};
  request.ttl = std::chrono::seconds(
      TRY(fields.number("ttl_seconds", {.least = 1, .most = kLongestTtlSeconds}, kUsualTtlSeconds)));
  request.wait = std::chrono::milliseconds(TRY(fields.number("wait_ms", {.most = kLongestWaitMs}, 0)));
  if (fields.has("patience_ms"))
    request.patience = std::chrono::milliseconds(TRY(fields.number("patience_ms", {.most = kLongestWaitMs})));
  const std::string road = TRY(fields.text("road", ""));
  if (!road.empty()) {
    request.forced = pool::roadNamed(road);
    if (!request.forced) return Error(Remedy::fixInput, "\"road\" must be ready, blank, spawn or boot");
  }
  return request;
}

Result<std::chrono::seconds> ttlFromJson(const boost::json::value& value) {
  Fields fields = TRY(Fields::of(value));
  const std::uint64_t seconds = TRY(fields.number("ttl_seconds", {.least = 1, .most = kLongestTtlSeconds}));
  TRY(fields.finish());
  return std::chrono::seconds(seconds);
}

boost::json::object toJson(const pool::Grant& grant) {
  return {{"id", grant.id},
          {"token", grant.token},
          {"road", pool::name(grant.road)},
          {"phases_us", toJson(grant.phases)},
          {"expires_at", timeText(grant.expiresAt)}};
}

boost::json::object toJson(const pool::LeaseView& lease) {
  return {{"id", lease.id},
          {"template", lease.templateName},
          {"road", pool::name(lease.road)},
          {"expires_at", timeText(lease.expiresAt)}};
}

boost::json::object toJson(const pool::Reply& reply) {
  return {{"guest_us", reply.pong.handledUs},
          {"round_trip_us", reply.roundTrip.count()},
          {"nonce", fmt::format("{:016x}", reply.pong.nonce)},
          {"guest_nonce", fmt::format("{:016x}", reply.pong.guestNonce)}};
}

boost::json::object toJson(const pool::MemoryUse& use) {
  return {{"private_bytes", use.privateBytes}, {"shared_bytes", use.sharedBytes}};
}

boost::json::object toJson(const pool::Phases& phases) {
  boost::json::object object;
  for (const auto& [phase, took] : phases.entries()) {
    boost::json::value& sum = object[pool::name(phase)];
    sum = (sum.is_null() ? 0 : sum.as_int64()) + took.count();
  }
  object["total"] = phases.total().count();
  return object;
}

}  // namespace qm::rest
