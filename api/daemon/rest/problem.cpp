#include "api/daemon/rest/problem.h"

#include <algorithm>
#include <array>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "vmm/result/check.h"

namespace qm::rest {

namespace {

constexpr std::array kKinds{
    ProblemKind{ProblemCode::invalidRequest, "invalid-request", 400, "The request cannot be understood",
                "Correct the field that detail names; docs/api.md lists the fields of each request."},
    ProblemKind{ProblemCode::noSuchPath, "no-such-path", 404, "There is nothing at this path",
                "See the paths in docs/api.md."},
    ProblemKind{ProblemCode::methodNotAllowed, "method-not-allowed", 405, "The path does not take this method",
                "Use one of the methods that the header Allow names."},
    ProblemKind{ProblemCode::bodyTooLarge, "body-too-large", 413, "The body is larger than what is read",
                "Send at most 16 MiB; give a guest more through a disk image or in several commands."},
    ProblemKind{ProblemCode::foreignOrigin, "foreign-origin", 403, "Requests from web pages are not served",
                "Send the request without the header Origin, not from a browser's page."},
    ProblemKind{ProblemCode::tokenMissing, "token-missing", 401, "The lease's token is missing",
                "Send the header `Authorization: Bearer TOKEN` with the token that POST /v1/leases answered."},
    ProblemKind{ProblemCode::tokenWrong, "token-wrong", 403, "The token is not this lease's",
                "Use the token that came with this lease's id; a lost token cannot be shown again."},
    ProblemKind{ProblemCode::noSuchTemplate, "no-such-template", 404, "There is no such template",
                "GET /v1/templates lists those there are; PUT /v1/templates/{name} adds one."},
    ProblemKind{ProblemCode::noSuchLease, "no-such-lease", 404, "There is no such lease",
                "Acquire one with POST /v1/leases."},
    ProblemKind{ProblemCode::leaseEnded, "lease-ended", 410, "The lease has ended",
                "Acquire another one; renew a lease before its ttl is over to keep its VM."},
    ProblemKind{ProblemCode::notAccepted, "not-accepted", 422, "The request is understood but cannot be done",
                "Change what cause names, then send it again."},
    ProblemKind{ProblemCode::shortOfResources, "short-of-resources", 503, "It cannot be done at the moment",
                "Send the same request again after a second; if it stays so, `quickmatch doctor` tells what is short."},
    ProblemKind{ProblemCode::guestFailed, "guest-failed", 502, "The VM did not do what it was asked",
                "Release the lease and acquire another one; the VM's console is in the daemon's state folder."},
    ProblemKind{ProblemCode::internal, "internal", 500, "The daemon failed",
                "See the daemon's log; `quickmatch doctor` tells what this host lacks."},
};

}  // namespace

std::span<const ProblemKind> problemKinds() {
  return kKinds;
}

const ProblemKind& kindOf(ProblemCode code) {
  const auto* kind = std::ranges::find(kKinds, code, &ProblemKind::code);
  CHECK(kind != kKinds.end());
  return *kind;
}

Response respond(const Problem& problem) {
  const ProblemKind& kind = kindOf(problem.code);
  boost::json::object document{{"type", fmt::format("urn:quickmatch:problem:{}", kind.name)},
                               {"title", kind.title},
                               {"status", kind.status},
                               {"detail", problem.detail},
                               {"code", kind.name},
                               {"cause", problem.cause.empty() ? problem.detail : problem.cause},
                               {"remedy", kind.remedy}};
  Response response{
      .status = kind.status, .contentType = "application/problem+json", .body = boost::json::serialize(document)};
  if (kind.status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  if (kind.status == 503) response.headers.emplace_back("Retry-After", "1");
  return response;
}

Problem problemOf(const Error& error, std::string_view detail, ProblemCode otherwise) {
  ProblemCode code = otherwise;
  if (error.remedy() == Remedy::fixInput) code = ProblemCode::notAccepted;
  if (error.remedy() == Remedy::retry) code = ProblemCode::shortOfResources;
  return {.code = code, .detail = std::string(detail), .cause = error.text()};
}

}  // namespace qm::rest
