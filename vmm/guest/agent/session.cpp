#include "vmm/guest/agent/session.h"

#include <algorithm>
#include <utility>

#include "vmm/guest/protocol/limits.h"
#include "vmm/guest/protocol/reply_codec.h"
#include "vmm/guest/protocol/request_codec.h"
#include "vmm/os/stream_socket.h"

namespace qm::agent {

namespace {

// With more than this waiting to be sent, no further request is read: a host that does not read has no more to ask.
constexpr std::size_t kMaxBacklogBytes = kMaxMessageBytes;

constexpr std::size_t kPeekedBytes = 4096;

Refusal refusalOf(const Error& error) {
  return {.remedy = error.remedy(), .text = error.text()};
}

}  // namespace

Session::Session(EventLoop& loop, const Machine& machine, FileDescriptor stream, std::function<void()> onEnd)
    : loop_(loop), machine_(machine), stream_(std::move(stream)), onEnd_(std::move(onEnd)) {}

Session::~Session() {
  loop_.unwatch(stream_);
}

Status Session::start() {
  TRY(setNonBlocking(stream_));
  return loop_.watch(stream_, interest_, [this](Ready ready) { onReady(ready); });
}

bool Session::collect(pid_t pid) {
  for (auto& [number, hooks] : renewals_) {
    if (hooks->collect(pid)) return true;
  }
  for (auto& [number, program] : programs_) {
    if (program->pid() != pid) continue;
    program->collect();
    return true;
  }
  return false;
}

void Session::onReady(Ready ready) {
  isInHandler_ = true;
  if (has(ready, Ready::writable)) flush();
  if (has(ready, Ready::readable)) readRequests();
  isInHandler_ = false;
  settle();
}

// Bytes that leave the stream make the guest's kernel send the host a packet with the new credit (Linux,
// virtio_transport_common.c), before an answer that is written later: a quarter of the way to an answer. So a message's
// beginning, mostly all of it, is looked at, answered, and then taken.
void Session::readRequests() {
  const bool isBeginning = frames_.isEmpty();
  const std::span<std::byte> room = frames_.room();
  const auto count =
      isBeginning ? peekSome(stream_, room.first(std::min(room.size(), kPeekedBytes))) : readSome(stream_, room);
  if (!count.has_value() && count.error().remedy() == Remedy::retry) return;
  if (!count.has_value() || *count == 0) {
    isOver_ = true;
    return;
  }
  frames_.filled(*count);
  arrived_ = std::chrono::steady_clock::now();
  handleFrames();
  if (isBeginning && !dropPeeked(stream_, *count).has_value()) isOver_ = true;
}

void Session::handleFrames() {
  while (!isOver_) {
    const auto frame = frames_.front();
    if (frame.has_value() && !frame->has_value()) return;
    // Where the next message would begin is not known: only this connection ends.
    const auto request = frame.has_value() ? decodeRequest(**frame) : Result<Request>(frame.error());
    if (!request.has_value()) {
      isOver_ = true;
      return;
    }
    frames_.drop();
    handle(*request);
  }
}

void Session::handle(const Request& request) {
  std::visit([&](const auto& body) { handle(request.id, body); }, request.body);
}

void Session::handle(std::uint64_t id, const Ping& ping) {
  using std::chrono::microseconds;
  const auto handled = std::chrono::duration_cast<microseconds>(std::chrono::steady_clock::now() - arrived_);
  reply({.id = id,
         .body = Pong{.nonce = ping.nonce,
                      .guestNonce = machine_.guestNonce,
                      .handledUs = static_cast<std::uint64_t>(handled.count())}});
}

void Session::handle(std::uint64_t id, const Renew& renew) {
  const Error busy(Remedy::retry, "too many requests are under way");
  const Status renewed = isFull() ? Status(busy) : machine_.renew(renew);
  if (!renewed.has_value()) return reply({.id = id, .body = refusalOf(renewed.error())});
  const std::uint64_t number = nextNumber_++;
  auto& hooks = renewals_[number];
  hooks = std::make_unique<Hooks>(loop_, renew.hooks, renew.cloneId,
                                  [this, number, id, nonce = renew.nonce](Result<std::vector<HookResult>> results) {
                                    finishRenewal(number, {.id = id, .nonce = nonce}, std::move(results));
                                  });
  hooks->start();
}

void Session::finishRenewal(std::uint64_t number, Asked asked, Result<std::vector<HookResult>> hooks) {
  renewals_.erase(number);
  if (hooks.has_value()) {
    reply({.id = asked.id,
           .body = Renewed{.guestNonce = machine_.guestNonce, .hooks = std::move(*hooks), .nonce = asked.nonce}});
  } else {
    reply({.id = asked.id, .body = refusalOf(hooks.error())});
  }
  settle();
}

void Session::handle(std::uint64_t id, const Run& run) {
  const std::uint64_t number = nextNumber_++;
  auto program =
      isFull() ? Result<std::unique_ptr<Program>>(Error(Remedy::retry, "too many requests are under way"))
               : Program::start(loop_, run, [this, number, id](Ran ran) { finishRun(number, id, std::move(ran)); });
  if (!program.has_value()) return reply({.id = id, .body = refusalOf(program.error())});
  programs_.emplace(number, std::move(*program));
}

void Session::finishRun(std::uint64_t number, std::uint64_t id, Ran ran) {
  programs_.erase(number);
  reply({.id = id, .body = std::move(ran)});
  settle();
}

void Session::handle(std::uint64_t id, const Stop&) {
  isStopping_ = true;
  reply({.id = id, .body = Stopping{}});
}

void Session::handle(std::uint64_t id, const Refusal& refusal) {
  reply({.id = id, .body = refusal});
}

void Session::reply(const Reply& reply) {
  const auto bytes = encodeReply(reply);
  // Every reply fits: its output is limited when the request is read.
  if (!bytes.has_value()) {
    isOver_ = true;
    return;
  }
  toSend_.insert(toSend_.end(), bytes->begin(), bytes->end());
  flush();
}

void Session::flush() {
  while (backlog() > 0) {
    const auto count = sendSome(stream_, std::span(toSend_).subspan(sent_));
    if (!count.has_value()) {
      if (count.error().remedy() != Remedy::retry) isOver_ = true;
      return;
    }
    sent_ += *count;
  }
  sent_ = 0;
  // What a long answer took is given back.
  toSend_.clear();
  if (toSend_.capacity() > 65'536) toSend_.shrink_to_fit();
  if (std::exchange(isStopping_, false)) machine_.powerOff();
}

void Session::updateInterest() {
  Ready interest = backlog() > 0 ? Ready::writable : Ready::none;
  if (backlog() <= kMaxBacklogBytes) interest = interest == Ready::none ? Ready::readable : Ready::both;
  if (interest == interest_) return;
  interest_ = interest;
  loop_.setInterest(stream_, interest);
}

void Session::settle() {
  if (isInHandler_) return;
  updateInterest();
  if (!isOver_) return;
  const auto onEnd = std::move(onEnd_);
  onEnd();
}

}  // namespace qm::agent
