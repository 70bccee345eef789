#include "vmm/guest/client/agent_client.h"

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "vmm/guest/protocol/reply_codec.h"
#include "vmm/guest/protocol/request_codec.h"
#include "vmm/os/stream_socket.h"
#include "vmm/os/unix_socket.h"
#include "vmm/os/wait.h"

namespace qm::agent {

namespace {

// "OK 4294967295\n" and some room.
constexpr std::size_t kAnswerBytes = 32;

Error hungUp() {
  return {Remedy::giveUp, "the agent closed the connection"};
}

// The answer's line, byte by byte: what follows it belongs to the agent.
Result<std::string> readLine(const FileDescriptor& socket, AgentClient::Deadline deadline) {
  std::string line;
  while (line.size() < kAnswerBytes) {
    TRY(waitReadable(socket, deadline));
    std::array<std::byte, 1> letter{};
    const std::size_t count = TRY(readSome(socket, letter));
    // The device closes the connection when nobody in the guest listens.
    if (count == 0) return Error(Remedy::retry, "nobody listens on the agent's port yet");
    if (letter[0] == std::byte{'\n'}) return line;
    line.push_back(static_cast<char>(letter[0]));
  }
  return Error(Remedy::giveUp, "no answer to CONNECT: '" + line + "'");
}

Result<Ran> within(Ran ran, std::uint64_t outputLimit) {
  if (ran.out.size() <= outputLimit && ran.err.size() <= outputLimit) return ran;
  return Error(Remedy::giveUp, "the agent sent more output than was asked for");
}

}  // namespace

AgentClient::AgentClient(FileDescriptor stream) : stream_(std::move(stream)) {}

Result<AgentClient> AgentClient::connect(const std::filesystem::path& socketPath, Deadline deadline) {
  FileDescriptor socket = TRY(connectUnix(socketPath, Blocking::no));
  const std::string line = "CONNECT " + std::to_string(kAgentPort) + "\n";
  AgentClient client(std::move(socket));
  TRY(client.send(std::as_bytes(std::span(line)), deadline));
  const std::string answer = TRY(readLine(client.stream_, deadline));
  if (!answer.starts_with("OK ")) return Error(Remedy::giveUp, "no answer to CONNECT: '" + answer + "'");
  return client;
}

Status AgentClient::send(std::span<const std::byte> bytes, Deadline deadline) {
  while (!bytes.empty()) {
    const auto sent = sendSome(stream_, bytes);
    if (sent.has_value()) {
      bytes = bytes.subspan(*sent);
    } else if (sent.error().remedy() == Remedy::retry) {
      TRY(waitWritable(stream_, deadline));
    } else {
      return sent.error();
    }
  }
  return {};
}

Result<std::optional<Reply>> AgentClient::replyAmongWhatCame(std::uint64_t id) {
  while (const auto frame = TRY(frames_.front())) {
    auto reply = decodeReply(*frame);
    frames_.drop();
    if (!reply.has_value()) return std::move(reply).error();
    if (reply->id == id) return *std::move(reply);
    // Late answers to calls that were given up are skipped; an id that was never used is a lie.
    if (reply->id > id) return Error(Remedy::giveUp, "a reply to a request that was not made");
  }
  return std::nullopt;
}

Status AgentClient::readMore() {
  const std::size_t count = TRY(readSome(stream_, frames_.room()));
  if (count == 0) return hungUp();
  frames_.filled(count);
  return {};
}

// A deadline that passes here leaves the stream whole: the rest of the reply is read, and skipped, by the next call.
Result<Reply> AgentClient::receive(std::uint64_t id, Deadline deadline) {
  for (;;) {
    if (auto reply = TRY(replyAmongWhatCame(id))) return *std::move(reply);
    TRY(waitReadable(stream_, deadline));
    const Status more = readMore();
    if (!more.has_value() && more.error().remedy() != Remedy::retry) return more.error();
  }
}

Result<std::optional<Reply>> AgentClient::receiveSome(std::uint64_t id) {
  for (;;) {
    if (auto reply = TRY(replyAmongWhatCame(id))) return reply;
    const Status more = readMore();
    if (more.has_value()) continue;
    if (more.error().remedy() == Remedy::retry) return std::nullopt;
    return more.error();
  }
}

Status AgentClient::begin(decltype(Request::body) body) {
  if (isBroken_) return hungUp();
  const std::vector<std::byte> bytes = TRY(encodeRequest({.id = ++lastId_, .body = std::move(body)}));
  const auto sent = sendSome(stream_, bytes);
  if (sent.has_value() && *sent == bytes.size()) return {};
  isBroken_ = true;  // some of the request may be under way
  if (!sent.has_value()) return sent.error();
  return Error(Remedy::retry, "the agent's stream takes no more");
}

Result<Reply> AgentClient::call(decltype(Request::body) body, Deadline deadline) {
  if (isBroken_) return hungUp();
  const Request request{.id = ++lastId_, .body = std::move(body)};
  const std::vector<std::byte> bytes = TRY(encodeRequest(request));
  auto sent = send(bytes, deadline);
  if (!sent.has_value()) {
    isBroken_ = true;  // some of the request may be under way
    return std::move(sent).error();
  }
  return receive(request.id, deadline);
}

template <class Expected>
Result<Expected> AgentClient::expected(Result<Reply> reply) {
  if (!reply.has_value()) {
    if (reply.error().remedy() == Remedy::giveUp) isBroken_ = true;
    return std::move(reply).error();
  }
  if (auto* expected = std::get_if<Expected>(&reply->body)) return std::move(*expected);
  if (const auto* refusal = std::get_if<Refusal>(&reply->body))
    return Error(refusal->remedy, "in the guest: " + refusal->text);
  isBroken_ = true;
  return Error(Remedy::giveUp, "a reply of another kind than the request");
}

template <class Expected>
Result<Expected> AgentClient::callFor(decltype(Request::body) body, Deadline deadline) {
  return expected<Expected>(call(std::move(body), deadline));
}

template <class Expected>
Result<std::optional<Expected>> AgentClient::takeSome() {
  if (isBroken_) return hungUp();
  auto reply = receiveSome(lastId_);
  if (!reply.has_value()) return expected<Expected>(std::move(reply).error()).error();
  if (!reply->has_value()) return std::nullopt;
  return std::optional(TRY(expected<Expected>(**std::move(reply))));
}

Result<Pong> AgentClient::checked(const Pong& pong, std::uint64_t nonce) {
  if (pong.nonce == nonce) return pong;
  isBroken_ = true;
  return Error(Remedy::giveUp, "the agent echoed another nonce");
}

Result<Pong> AgentClient::ping(std::uint64_t nonce, Deadline deadline) {
  return checked(TRY(callFor<Pong>(Ping{.nonce = nonce}, deadline)), nonce);
}

Result<std::optional<Pong>> AgentClient::takePong(std::uint64_t nonce) {
  const std::optional<Pong> pong = TRY(takeSome<Pong>());
  if (!pong) return std::nullopt;
  return std::optional(TRY(checked(*pong, nonce)));
}

Result<Renewed> AgentClient::renew(const Renew& renew, Deadline deadline) {
  Renewed renewed = TRY(callFor<Renewed>(renew, deadline));
  const bool complete = renewed.hooks.size() == renew.hooks.size();
  for (const HookResult& hook : renewed.hooks) {
    if (!complete || hook.exitCode != 0 || hook.signal != 0) {
      return Error(Remedy::giveUp, "the agent took a hook that failed for a renewal");
    }
  }
  if (!complete) return Error(Remedy::giveUp, "the agent did not run every hook");
  return renewed;
}

Result<Ran> AgentClient::run(const Run& run, Deadline deadline) {
  return within(TRY(callFor<Ran>(run, deadline)), run.outputLimit);
}

Result<std::optional<Ran>> AgentClient::takeRan(std::uint64_t outputLimit) {
  std::optional<Ran> ran = TRY(takeSome<Ran>());
  if (!ran) return std::nullopt;
  return std::optional(TRY(within(*std::move(ran), outputLimit)));
}

Status AgentClient::stop(Deadline deadline) {
  (void)TRY(callFor<Stopping>(Stop{}, deadline));
  return {};
}

}  // namespace qm::agent
