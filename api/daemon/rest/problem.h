// What went wrong, as RFC 9457 has it: a document that a program can branch on (code) and a person can act on (remedy).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "api/daemon/rest/message.h"
#include "vmm/result/error.h"

namespace qm::rest {

enum class ProblemCode : std::uint8_t {
  invalidRequest,
  noSuchPath,
  methodNotAllowed,
  bodyTooLarge,
  foreignOrigin,
  tokenMissing,
  tokenWrong,
  noSuchTemplate,
  noSuchLease,
  leaseEnded,
  notAccepted,
  shortOfResources,
  guestFailed,
  internal,
};

// What all problems of one code have in common.
struct ProblemKind {
  ProblemCode code;
  std::string_view name;  // in the document, and the last part of its type
  std::uint16_t status;
  std::string_view title;
  std::string_view remedy;
};

// All kinds, each code once.
std::span<const ProblemKind> problemKinds();
const ProblemKind& kindOf(ProblemCode code);

struct Problem {
  ProblemCode code;
  std::string detail;  // what was wrong with this request
  std::string cause;   // the error below it, if there is one
};

Response respond(const Problem& problem);

// The pool's errors say what the caller may do next, and so the code: fixInput is `notAccepted`, retry is
// `shortOfResources`, giveUp is `otherwise`.
Problem problemOf(const Error& error, std::string_view detail, ProblemCode otherwise = ProblemCode::internal);

}  // namespace qm::rest
