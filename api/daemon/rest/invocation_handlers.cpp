#include "api/daemon/rest/invocation_handlers.h"

#include <memory>

#include <fmt/format.h>

#include "api/daemon/rest/answer.h"
#include "api/daemon/rest/invocation_json.h"

namespace qm::rest {

namespace {

Answered<Invocation> wantedOf(const pool::Pool& pool, const Request& request) {
  const auto body = bodyOf(request);
  if (!body.has_value()) return std::unexpected(body.error());
  auto wanted = understood(invocationFromJson(*body));
  if (!wanted.has_value()) return wanted;
  const std::string& name = wanted->acquire.templateName;
  if (pool.hasTemplate(name)) return wanted;
  return std::unexpected(
      respond({.code = ProblemCode::noSuchTemplate, .detail = fmt::format("there is no template named \"{}\"", name)}));
}

Response run(pool::Pool& pool, const Invocation& wanted, Result<pool::Grant> outcome) {
  const pool::Grant grant =
      TRY(done(std::move(outcome), fmt::format("no VM of the template \"{}\" was had", wanted.acquire.templateName)));
  Result<agent::Ran> ended = pool.exec(grant.id, wanted.run);
  // Its lease may have ended under the command: then it is gone already.
  static_cast<void>(pool.release(grant.id));
  const agent::Ran ran = TRY(done(std::move(ended), "the command was not run", ProblemCode::guestFailed));
  return jsonResponse(200, invocationToJson(grant, ran));
}

}  // namespace

Response invoke(pool::Pool& pool, const Request& request) {
  const Invocation wanted = TRY(wantedOf(pool, request));
  return run(pool, wanted, pool.acquire(wanted.acquire));
}

Begun beginInvoke(pool::Pool& pool, const Request& request) {
  const auto wanted = std::make_shared<const Invocation>(TRY(wantedOf(pool, request)));
  OnThread waiting{[&pool, wanted] { return run(pool, *wanted, pool.acquire(wanted->acquire)); }};
  const auto runIn = [&pool, wanted](const pool::Grant& grant) {
    return OnThread{[&pool, wanted, grant] { return run(pool, *wanted, grant); }};
  };
  Result<pool::BegunAcquire> begun = pool.beginAcquire(wanted->acquire);
  if (!begun.has_value()) return run(pool, *wanted, std::move(begun).error());
  if (const auto* grant = std::get_if<pool::Grant>(&*begun)) return runIn(*grant);
  if (std::holds_alternative<pool::WouldWait>(*begun)) return waiting;
  return std::make_unique<PendingOutcome<pool::Acquired>>(
      std::get<std::unique_ptr<pool::Awaited<pool::Acquired>>>(*std::move(begun)), Client::isNeeded,
      [&pool, wanted, waiting, runIn](Result<pool::Acquired> outcome) -> Begun {
        if (!outcome.has_value()) return run(pool, *wanted, std::move(outcome).error());
        if (const auto* grant = std::get_if<pool::Grant>(&*outcome)) return runIn(*grant);
        return waiting;
      });
}

}  // namespace qm::rest
