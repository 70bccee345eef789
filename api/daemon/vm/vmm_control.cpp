#include "api/daemon/vm/vmm_control.h"

#include <chrono>
#include <thread>

#include <fmt/format.h>

#include "api/json/fields.h"

namespace qm {

namespace {

// Firecracker's {"fault_message": "…"}, or the text as it is.
std::string faultOf(const HttpAnswer& answer) {
  const Result<boost::json::value> body = parseJson(answer.body);
  if (!body.has_value() || !body->is_object()) return answer.body;
  const boost::json::value* fault = body->get_object().if_contains("fault_message");
  if (fault == nullptr || !fault->is_string()) return answer.body;
  return std::string(fault->get_string());
}

}  // namespace

Status VmmControl::ask(const VmmRequest& request, const Process& process, pool::Deadline deadline) {
  for (;;) {
    const auto now = std::chrono::steady_clock::now();
    const Result<HttpAnswer> answer =
        client_.ask({.method = request.method, .target = request.target, .body = request.body}, deadline);
    if (answer.has_value()) {
      if (answer->status < 300) return {};
      return Error(Remedy::fixInput, fmt::format("{} {}: {}", request.method, request.target, faultOf(*answer)));
    }
    if (answer.error().remedy() != Remedy::retry || now >= deadline) return answer.error();
    // Nobody listens yet. A VMM takes about a millisecond to do so.
    if (process.waitForEnd(now + std::chrono::microseconds(300))) {
      return Error(Remedy::giveUp, "the VM's process ended before it listened");
    }
  }
}

}  // namespace qm
