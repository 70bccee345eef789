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

Result<Reply> AgentClient::receive(std::uint64_t id, Deadline deadline) {
  for (;;) {
    while (const auto frame = TRY(frames_.front())) {
      auto reply = decodeReply(*frame);
      frames_.drop();
      if (!reply.has_value() || reply->id == id) return reply;
      // Late answers to calls that were given up are skipped; an id that was never used is a lie.
      if (reply->id > id) return Error(Remedy::giveUp, "a reply to a request that was not made");
    }
    // A deadline that passes here leaves the stream whole: the rest of the reply is read, and skipped, by the next
    // call.
    TRY(waitReadable(stream_, deadline));
    const auto count = readSome(stream_, frames_.room());
    if (!count.has_value() && count.error().remedy() == Remedy::retry) continue;
    if (!count.has_value()) return count.error();
    if (*count == 0) return hungUp();
    frames_.filled(*count);
  }
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
  auto reply = receive(request.id, deadline);
  if (!reply.has_value() && reply.error().remedy() == Remedy::giveUp) isBroken_ = true;
  return reply;
}

template <class Expected>
Result<Expected> AgentClient::callFor(decltype(Request::body) body, Deadline deadline) {
  Reply reply = TRY(call(std::move(body), deadline));
  if (auto* expected = std::get_if<Expected>(&reply.body)) return std::move(*expected);
  if (const auto* refusal = std::get_if<Refusal>(&reply.body))
    return Error(refusal->remedy, "in the guest: " + refusal->text);
  isBroken_ = true;
  return Error(Remedy::giveUp, "a reply of another kind than the request");
}

Result<Pong> AgentClient::ping(std::uint64_t nonce, Deadline deadline) {
  const Pong pong = TRY(callFor<Pong>(Ping{.nonce = nonce}, deadline));
  if (pong.nonce != nonce) {
    isBroken_ = true;
    return Error(Remedy::giveUp, "the agent echoed another nonce");
  }
  return pong;
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
  Ran ran = TRY(callFor<Ran>(run, deadline));
  if (ran.out.size() > run.outputLimit || ran.err.size() > run.outputLimit) {
    return Error(Remedy::giveUp, "the agent sent more output than was asked for");
  }
  return ran;
}

Status AgentClient::stop(Deadline deadline) {
  (void)TRY(callFor<Stopping>(Stop{}, deadline));
  return {};
}

}  // namespace qm::agent
