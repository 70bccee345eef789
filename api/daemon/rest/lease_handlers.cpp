#include "api/daemon/rest/lease_handlers.h"

#include <string>
#include <string_view>

#include <boost/beast/core/string.hpp>
#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "api/daemon/rest/answer.h"
#include "api/daemon/rest/exec_json.h"
#include "api/daemon/rest/lease_json.h"
#include "vmm/text/number.h"

namespace qm::rest {

namespace {

// RFC 6750, section 2.1; the scheme's case does not matter (RFC 9110, section 11.1). Empty: no token.
std::string_view bearerToken(std::string_view authorization) {
  constexpr std::string_view kScheme = "bearer ";
  if (authorization.size() <= kScheme.size()) return {};
  for (std::size_t i = 0; i < kScheme.size(); ++i) {
    if ((authorization[i] | 0x20) != (kScheme[i] | 0x20)) return {};
  }
  authorization.remove_prefix(kScheme.size());
  return authorization.substr(std::min(authorization.find_first_not_of(' '), authorization.size()));
}

std::unexpected<Response> refused(ProblemCode code, std::string detail) {
  return std::unexpected(respond({.code = code, .detail = std::move(detail)}));
}

// The lease's id when the request's token opens it; `access` says whether it has ended.
Answered<std::string> allowed(const pool::Pool& pool, const Request& request, const PathValues& path,
                              pool::Access& access) {
  const std::string& id = path.at("id");
  const std::string_view token = bearerToken(request.authorization);
  if (token.empty()) return refused(ProblemCode::tokenMissing, fmt::format("the lease {} opens by its token only", id));
  access = pool.access(id, token);
  switch (access) {
    case pool::Access::granted:
    case pool::Access::ended:
      return id;
    case pool::Access::wrongToken:
      return refused(ProblemCode::tokenWrong, fmt::format("this token does not open the lease {}", id));
    case pool::Access::noSuchLease:
      break;
  }
  return refused(ProblemCode::noSuchLease, fmt::format("there is no lease {}", id));
}

Result<std::uint16_t> portFrom(const std::string& text) {
  const auto port = numberFrom<std::uint16_t>(text);
  if (!port || *port == 0) return Error(Remedy::fixInput, fmt::format("\"{}\" is no port: give 1 to 65535", text));
  return *port;
}

Answered<std::string> running(const pool::Pool& pool, const Request& request, const PathValues& path) {
  pool::Access access{};
  auto id = allowed(pool, request, path, access);
  if (id.has_value() && access == pool::Access::ended) {
    return refused(ProblemCode::leaseEnded, fmt::format("the lease {} has ended", *id));
  }
  return id;
}

Answered<pool::AcquireRequest> wantedOf(const pool::Pool& pool, const Request& request) {
  const auto body = bodyOf(request);
  if (!body.has_value()) return std::unexpected(body.error());
  auto wanted = understood(acquireRequestFromJson(*body));
  if (!wanted.has_value()) return wanted;
  if (pool.hasTemplate(wanted->templateName)) return wanted;
  return refused(ProblemCode::noSuchTemplate, fmt::format("there is no template named \"{}\"", wanted->templateName));
}

// A lease whose token nobody got opens to nobody.
Response granted(pool::Pool& pool, const pool::Grant& grant) {
  Response response = jsonResponse(201, toJson(grant));
  response.headers.emplace_back("Location", fmt::format("/v1/leases/{}", grant.id));
  response.onUndelivered = [&pool, id = grant.id] { static_cast<void>(pool.release(id)); };
  response.afterwards = grant.aftermath;
  return response;
}

Response acquired(pool::Pool& pool, const pool::AcquireRequest& wanted, Result<pool::Grant> outcome) {
  return granted(
      pool, TRY(done(std::move(outcome), fmt::format("no VM of the template \"{}\" was had", wanted.templateName))));
}

Response ponged(Result<pool::Reply> outcome) {
  return jsonResponse(200, toJson(TRY(done(std::move(outcome), "the guest did not answer", ProblemCode::guestFailed))));
}

Response ran(Result<agent::Ran> outcome) {
  return jsonResponse(200, toJson(TRY(done(std::move(outcome), "the command was not run", ProblemCode::guestFailed))));
}

// `say` puts the outcome into words. A guest that answers nothing may have ended, and to find out why takes a moment.
template <class T>
Begun told(pool::Pool& pool, const std::string& id, Result<T> outcome, Response (*say)(Result<T>)) {
  if (outcome.has_value() || outcome.error().remedy() != Remedy::giveUp) return say(std::move(outcome));
  return OnThread{[&pool, id, error = outcome.error(), say] { return say(pool.explained(id, error)); }};
}

Response connected(std::uint16_t port, Result<pool::GuestConnection> outcome) {
  pool::GuestConnection connection =
      TRY(done(std::move(outcome), fmt::format("port {} of the guest was not reached", port)));
  return {.status = 101,
          .contentType = {},
          .body = {},
          .headers = {{"Upgrade", "tcp"}, {"Connection", "Upgrade"}},
          .relayed = std::move(connection)};
}

// What is as long as this is put into JSON elsewhere than where all requests are read.
constexpr std::size_t kLongOutput = std::size_t{64} << 10U;

}  // namespace

Response acquireLease(pool::Pool& pool, const Request& request) {
  const pool::AcquireRequest wanted = TRY(wantedOf(pool, request));
  return acquired(pool, wanted, pool.acquire(wanted));
}

Begun beginAcquireLease(pool::Pool& pool, const Request& request) {
  const pool::AcquireRequest wanted = TRY(wantedOf(pool, request));
  OnThread waiting{[&pool, wanted] { return acquired(pool, wanted, pool.acquire(wanted)); }};
  Result<pool::BegunAcquire> begun = pool.beginAcquire(wanted);
  if (!begun.has_value()) return acquired(pool, wanted, std::move(begun).error());
  if (const auto* grant = std::get_if<pool::Grant>(&*begun)) return granted(pool, *grant);
  if (std::holds_alternative<pool::WouldWait>(*begun)) return waiting;
  return std::make_unique<PendingOutcome<pool::Acquired>>(
      std::get<std::unique_ptr<pool::Awaited<pool::Acquired>>>(*std::move(begun)), Client::isNeeded,
      [&pool, wanted, waiting](Result<pool::Acquired> outcome) -> Begun {
        if (!outcome.has_value()) return acquired(pool, wanted, std::move(outcome).error());
        if (const auto* grant = std::get_if<pool::Grant>(&*outcome)) return granted(pool, *grant);
        return waiting;
      });
}

Response listLeases(const pool::Pool& pool) {
  boost::json::array leases;
  for (const pool::LeaseView& lease : pool.leases()) leases.push_back(toJson(lease));
  return jsonResponse(200, boost::json::object{{"leases", std::move(leases)}});
}

Response getLease(const pool::Pool& pool, const Request& request, const PathValues& path) {
  const std::string id = TRY(running(pool, request, path));
  const auto lease = pool.lease(id);
  if (!lease) return respond({.code = ProblemCode::leaseEnded, .detail = fmt::format("the lease {} has ended", id)});
  return jsonResponse(200, toJson(*lease));
}

Response renewLease(pool::Pool& pool, const Request& request, const PathValues& path) {
  const std::string id = TRY(running(pool, request, path));
  const boost::json::value body = TRY(bodyOf(request));
  const std::chrono::seconds ttl = TRY(understood(ttlFromJson(body)));
  const pool::LeaseView lease = TRY(done(pool.renew(id, ttl), fmt::format("the lease {} was not renewed", id)));
  return jsonResponse(200, toJson(lease));
}

Response releaseLease(pool::Pool& pool, const Request& request, const PathValues& path) {
  pool::Access access{};
  const std::string id = TRY(allowed(pool, request, path, access));
  TRY(done(pool.release(id), fmt::format("the lease {} was not released", id)));
  return emptyResponse();
}

Begun beginReleaseLease(pool::Pool& pool, const Request& request, const PathValues& path) {
  if (pool.releasesAtOnce()) return releaseLease(pool, request, path);
  return OnThread{[&pool, &request, &path] { return releaseLease(pool, request, path); }};
}

Response pingLease(pool::Pool& pool, const Request& request, const PathValues& path) {
  const std::string id = TRY(running(pool, request, path));
  return ponged(pool.ping(id));
}

Begun beginPingLease(pool::Pool& pool, const Request& request, const PathValues& path) {
  const std::string id = TRY(running(pool, request, path));
  auto begun = pool.beginPing(id);
  if (!begun.has_value()) return told<pool::Reply>(pool, id, std::move(begun).error(), ponged);
  if (*begun == nullptr) return OnThread{[&pool, id] { return ponged(pool.ping(id)); }};
  return std::make_unique<PendingOutcome<pool::Reply>>(
      *std::move(begun), Client::mayBeGone,
      [&pool, id](Result<pool::Reply> outcome) { return told(pool, id, std::move(outcome), ponged); });
}

Response execInLease(pool::Pool& pool, const Request& request, const PathValues& path) {
  const std::string id = TRY(running(pool, request, path));
  const boost::json::value body = TRY(bodyOf(request));
  const agent::Run run = TRY(understood(runFromJson(body)));
  return ran(pool.exec(id, run));
}

Begun beginExecInLease(pool::Pool& pool, const Request& request, const PathValues& path) {
  const std::string id = TRY(running(pool, request, path));
  const boost::json::value body = TRY(bodyOf(request));
  agent::Run run = TRY(understood(runFromJson(body)));
  auto begun = pool.beginExec(id, run);
  if (!begun.has_value()) return told<agent::Ran>(pool, id, std::move(begun).error(), ran);
  if (*begun == nullptr) return OnThread{[&pool, id, run = std::move(run)] { return ran(pool.exec(id, run)); }};
  return std::make_unique<PendingOutcome<agent::Ran>>(
      *std::move(begun), Client::mayBeGone, [&pool, id](Result<agent::Ran> outcome) -> Begun {
        const bool isLong = outcome.has_value() && outcome->out.size() + outcome->err.size() > kLongOutput;
        if (!isLong) return told(pool, id, std::move(outcome), ran);
        return OnThread{[outcome = std::move(outcome)] { return ran(outcome); }};
      });
}

Response connectToLease(pool::Pool& pool, const Request& request, const PathValues& path) {
  return awaited(beginConnectToLease(pool, request, path));
}

Begun beginConnectToLease(pool::Pool& pool, const Request& request, const PathValues& path) {
  const std::string id = TRY(running(pool, request, path));
  const std::uint16_t port = TRY(understood(portFrom(path.at("port"))));
  if (!boost::beast::iequals(request.upgrade, "tcp")) {
    return respond(
        {.code = ProblemCode::invalidRequest,
         .detail =
             "a connection to a guest is asked for by HTTP/1.1, with \"Connection: Upgrade\" and \"Upgrade: tcp\""});
  }
  // The spawner makes the socket, which takes a thread; the guest's answer to it none, however late it is.
  return OnThread{[&pool, id, port]() -> Begun {
    auto begun = pool.beginConnect(id, port);
    if (!begun.has_value()) return connected(port, std::move(begun).error());
    return std::make_unique<PendingOutcome<pool::GuestConnection>>(
        *std::move(begun), Client::isNeeded,
        [port](Result<pool::GuestConnection> outcome) { return connected(port, std::move(outcome)); });
  }};
}

Response memoryOfLease(pool::Pool& pool, const Request& request, const PathValues& path) {
  const std::string id = TRY(running(pool, request, path));
  const pool::MemoryUse use = TRY(done(pool.memoryUse(id), "the VM's memory was not read"));
  return jsonResponse(200, toJson(use));
}

}  // namespace qm::rest
