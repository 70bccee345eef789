#include "bench/load/lease_talk.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "api/json/fields.h"

namespace qm::bench {

namespace {

using boost::json::object;

std::string message(std::string_view method, std::string_view target, std::string_view token, std::string_view body) {
  std::string text = fmt::format("{} {} HTTP/1.1\r\nHost: quickmatch\r\n", method, target);
  if (!token.empty()) text += fmt::format("Authorization: Bearer {}\r\n", token);
  if (!body.empty()) text += fmt::format("Content-Type: application/json\r\nContent-Length: {}\r\n", body.size());
  return text + "\r\n" + std::string(body);
}

Error notSaid(std::string_view what, std::string_view body) {
  return {Remedy::giveUp, fmt::format("{}: {}", what, body)};
}

bool isNonce(std::string_view text) {
  constexpr std::size_t kDigits = 16;
  return text.size() == kDigits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

std::string acquireBody(const LeaseWish& wish) {
  object body{{"template", wish.templateName}, {"ttl_seconds", wish.ttlS}};
  if (wish.waitMs > 0) body["wait_ms"] = wish.waitMs;
  if (wish.road) body["road"] = pool::name(*wish.road);
  return boost::json::serialize(body);
}

std::string acquireMessage(const LeaseWish& wish) {
  return message("POST", "/v1/leases", {}, acquireBody(wish));
}

std::string askMessage(What what, const GrantedLease& lease, std::string_view word) {
  if (what == What::reply) return message("GET", fmt::format("/v1/leases/{}/ping", lease.id), lease.token, {});
  const object body{{"argv", boost::json::array{"/bin/echo", word}}};
  return message("POST", fmt::format("/v1/leases/{}/exec", lease.id), lease.token, boost::json::serialize(body));
}

std::string releaseMessage(const GrantedLease& lease) {
  return message("DELETE", "/v1/leases/" + lease.id, lease.token, {});
}

Result<GrantedLease> readGrant(std::string_view body) {
  const boost::json::value value = TRY(parseJson(body));
  Fields fields = TRY(Fields::of(value));
  GrantedLease lease{.id = TRY(fields.text("id")), .token = TRY(fields.text("token"))};
  const std::optional<pool::Road> road = pool::roadNamed(TRY(fields.text("road")));
  if (!road) return notSaid("the grant's road is unknown", body);
  lease.road = *road;
  const boost::json::value* phases = fields.find("phases_us");
  if (phases == nullptr || !phases->is_object()) return notSaid("the grant has no phases", body);
  for (const auto& [phase, took] : phases->get_object())
    if (took.is_int64()) lease.phases.emplace_back(phase, static_cast<std::uint64_t>(took.get_int64()));
  return lease;
}

Result<std::string> readPing(std::string_view body) {
  const boost::json::value value = TRY(parseJson(body));
  Fields fields = TRY(Fields::of(value));
  const std::string nonce = TRY(fields.text("nonce"));
  std::string guest = TRY(fields.text("guest_nonce"));
  if (!isNonce(nonce) || !isNonce(guest)) return notSaid("no guest has answered this ping", body);
  return guest;
}

Status readExec(std::string_view body, std::string_view word) {
  const boost::json::value value = TRY(parseJson(body));
  Fields fields = TRY(Fields::of(value));
  const std::uint64_t code = TRY(fields.number("exit_code", {}));
  const std::string said = TRY(fields.text("stdout"));
  if (code != 0 || said != fmt::format("{}\n", word)) return notSaid("the command did not say its word", body);
  return {};
}

std::string problemOf(std::uint16_t status, std::string_view body) {
  const Result<boost::json::value> value = parseJson(body);
  if (!value.has_value()) return fmt::format("{}", status);
  Result<Fields> fields = Fields::of(*value);
  if (!fields.has_value()) return fmt::format("{}", status);
  const Result<std::string> code = fields->text("code", ""), cause = fields->text("cause", "");
  return fmt::format("{} {}: {}", status, code.value_or(""), cause.value_or(""));
}

}  // namespace qm::bench
