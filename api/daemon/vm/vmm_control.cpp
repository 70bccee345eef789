#include "api/daemon/vm/vmm_control.h"

#include <utility>

#include <fmt/format.h>

#include "api/json/fields.h"
#include "api/vmm/control/codec.h"
#include "vmm/os/message_socket.h"
#include "vmm/os/wait.h"

namespace qm {

namespace {

// Firecracker's {"fault_message": "…"}, or the text as it is.
std::string faultOf(const vmm::Answer& answer) {
  const Result<boost::json::value> body = parseJson(answer.body);
  if (!body.has_value() || !body->is_object()) return answer.body;
  const boost::json::value* fault = body->get_object().if_contains("fault_message");
  if (fault == nullptr || !fault->is_string()) return answer.body;
  return std::string(fault->get_string());
}

}  // namespace

Status VmmControl::ask(const VmmRequest& request, pool::Deadline deadline, std::span<const int> files) {
  const std::string what = fmt::format("{} {}", request.method, request.target);
  return ask(vmm::control::Ask{.method = request.method, .target = request.target, .body = request.body}, files, what,
             deadline);
}

Status VmmControl::ask(Body body, std::span<const int> files, std::string_view what, pool::Deadline deadline,
                       const OnSent& onSent) {
  if (!socket_.isOpen()) return Error(Remedy::giveUp, "the VM's control channel is lost");
  const Result<vmm::Answer> answer = exchange(std::move(body), files, deadline, onSent);
  if (!answer.has_value()) {
    // An answer that comes later would be taken for the next request's.
    socket_.close();
    // What the VMM says wrong, no client can put right.
    if (answer.error().remedy() == Remedy::fixInput) return Error(Remedy::giveUp, answer.error().text());
    return answer.error();
  }
  if (answer->status < 300) return {};
  return Error(Remedy::fixInput, fmt::format("{}: {}", what, faultOf(*answer)));
}

Result<vmm::Answer> VmmControl::exchange(Body body, std::span<const int> files, pool::Deadline deadline,
                                         const OnSent& onSent) {
  namespace control = vmm::control;
  const control::Request request{.id = ++lastId_, .body = std::move(body)};
  TRY(sendMessage(socket_, control::encode(request), files).during("asking the VM's process, which has ended"));
  if (onSent) onSent();
  TRY(waitReadable(socket_, deadline).during("waiting for the VM's process"));
  const Message message = TRY(receiveMessage(socket_).during("asking the VM's process, which has ended"));
  if (message.bytes.empty()) return Error(Remedy::giveUp, "the VM's process ended before it answered");
  control::Reply reply = TRY(control::decodeReply(message.bytes));
  if (reply.id != request.id && reply.id != 0)
    return Error(Remedy::giveUp, "the VM's process answered another request than ours");
  return std::move(reply.answer);
}

}  // namespace qm
