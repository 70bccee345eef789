#include "api/cli/daemon_api.h"

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "api/json/fields.h"

namespace qm::cli {

namespace {

// A command may run as long as its lease; who asked can interrupt.
constexpr std::chrono::hours kPatience{24 * 31};

std::string memberOf(const boost::json::object& problem, const char* name) {
  const boost::json::value* value = problem.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

// RFC 9457's members and ours, on lines of their own.
Error errorOf(const HttpAnswer& answer) {
  const Result<boost::json::value> document = parseJson(answer.body);
  if (!document.has_value() || !document->is_object()) {
    return Error(Remedy::giveUp, fmt::format("the daemon answered {} without saying why", answer.status));
  }
  const boost::json::object& problem = document->get_object();
  std::string text = fmt::format("{}: {}", memberOf(problem, "title"), memberOf(problem, "detail"));
  const std::string cause = memberOf(problem, "cause");
  if (!cause.empty() && cause != memberOf(problem, "detail")) text += "\n  cause:  " + cause;
  const std::string remedy = memberOf(problem, "remedy");
  if (!remedy.empty()) text += "\n  remedy: " + remedy;
  return Error(answer.status == 503 ? Remedy::retry : Remedy::fixInput, text);
}

}  // namespace

Result<LeaseHandle> leaseHandle(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == text.size()) {
    return Error(Remedy::fixInput, "a lease is given as `quickmatch acquire` shows it: ID:TOKEN");
  }
  return LeaseHandle{.id = std::string(text.substr(0, colon)), .token = std::string(text.substr(colon + 1))};
}

std::string text(const LeaseHandle& handle) {
  return handle.id + ":" + handle.token;
}

Result<boost::json::value> DaemonApi::ask(std::string_view method, const std::string& target,
                                          const boost::json::value& body, const std::string& token) {
  HttpAsk question{.method = method, .target = target};
  if (!body.is_null()) question.body = boost::json::serialize(body);
  if (!token.empty()) question.headers.emplace_back("Authorization", "Bearer " + token);
  const Result<HttpAnswer> answer = client_.ask(question, std::chrono::steady_clock::now() + kPatience);
  if (!answer.has_value()) {
    return Error(answer.error().remedy(),
                 fmt::format("{}\n  remedy: start quickmatchd, or name its socket with --socket or QUICKMATCH_SOCKET",
                             answer.error().text()));
  }
  if (answer->status >= 300) return errorOf(*answer);
  if (answer->body.empty()) return boost::json::value(nullptr);
  return parseJson(answer->body);
}

Result<boost::json::value> DaemonApi::askOfLease(std::string_view method, const LeaseHandle& lease,
                                                 std::string_view what, const boost::json::value& body) {
  return ask(method, fmt::format("/v1/leases/{}{}", lease.id, what), body, lease.token);
}

}  // namespace qm::cli
