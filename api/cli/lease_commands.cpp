#include "api/cli/cells.h"
#include "api/cli/command.h"

namespace qm::cli {

boost::json::object acquireBody(const AcquireOptions& options) {
  boost::json::object body{
      {"template", options.templateName}, {"ttl_seconds", options.ttlSeconds}, {"wait_ms", options.waitMs}};
  if (!options.road.empty()) body["road"] = options.road;
  return body;
}

int acquire(DaemonApi& api, Format format, const AcquireOptions& options) {
  const auto grant = api.ask("POST", "/v1/leases", acquireBody(options));
  if (!grant.has_value()) return fail(grant.error());
  const LeaseHandle handle{.id = cell(*grant, "id"), .token = cell(*grant, "token")};
  return show(format, *grant,
              {{"LEASE", "ROAD", "EXPIRES", "TOOK"},
               {text(handle), cell(*grant, "road"), cell(*grant, "expires_at"), phasesText(*grant)}});
}

int ping(DaemonApi& api, Format format, const std::string& lease) {
  const auto handle = leaseHandle(lease);
  if (!handle.has_value()) return fail(handle.error(), kMistyped);
  const auto reply = api.askOfLease("GET", *handle, "/ping");
  if (!reply.has_value()) return fail(reply.error());
  return show(
      format, *reply,
      {{"ROUND TRIP us", "IN GUEST us", "NONCE", "GUEST NONCE"},
       {cell(*reply, "round_trip_us"), cell(*reply, "guest_us"), cell(*reply, "nonce"), cell(*reply, "guest_nonce")}});
}

int renew(DaemonApi& api, Format format, const std::string& lease, std::uint64_t ttlSeconds) {
  const auto handle = leaseHandle(lease);
  if (!handle.has_value()) return fail(handle.error(), kMistyped);
  const auto renewed = api.askOfLease("POST", *handle, "/renew", boost::json::object{{"ttl_seconds", ttlSeconds}});
  if (!renewed.has_value()) return fail(renewed.error());
  return show(format, *renewed, {{"ID", "EXPIRES"}, {cell(*renewed, "id"), cell(*renewed, "expires_at")}});
}

int release(DaemonApi& api, const std::string& lease) {
  const auto handle = leaseHandle(lease);
  if (!handle.has_value()) return fail(handle.error(), kMistyped);
  const auto released = api.askOfLease("DELETE", *handle, "");
  return released.has_value() ? kDone : fail(released.error());
}

int listLeases(DaemonApi& api, Format format) {
  const auto answer = api.ask("GET", "/v1/leases");
  if (!answer.has_value()) return fail(answer.error());
  std::vector<Row> rows{{"ID", "TEMPLATE", "ROAD", "EXPIRES"}};
  for (const boost::json::value& lease : answer->at("leases").as_array()) {
    rows.push_back({cell(lease, "id"), cell(lease, "template"), cell(lease, "road"), cell(lease, "expires_at")});
  }
  return show(format, *answer, rows);
}

}  // namespace qm::cli
