// The host's side of a conversation with an agent: one connection, one call at a time, each with a deadline. Whatever
// comes back is taken for hostile.
// Errors: retry, the deadline passed or the agent was busy; fixInput, the agent refused what was asked; giveUp, the
// connection is of no more use.
// Threads: one at a time. A caller that wants several runs at once has several clients.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>

#include "vmm/guest/protocol/agent_values.h"
#include "vmm/guest/protocol/frame_reader.h"
#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm::agent {

class AgentClient {
 public:
  using Deadline = std::chrono::steady_clock::time_point;

  // Over a stream that leads to an agent already: a socket past its CONNECT line, or one end of a pair.
  explicit AgentClient(FileDescriptor stream);
  // Through the Unix socket of a VM's vsock device: "CONNECT 5200", "OK …". One try; retry means that nobody listens
  // yet.
  static Result<AgentClient> connect(const std::filesystem::path& socketPath, Deadline deadline);

  // giveUp when the echo is not `nonce`. That guestNonce is what it was before is the caller's to judge.
  Result<Pong> ping(std::uint64_t nonce, Deadline deadline);
  // An error unless all was renewed and every hook exited 0.
  Result<Renewed> renew(const Renew& renew, Deadline deadline);
  Result<Ran> run(const Run& run, Deadline deadline);
  // Answered before the guest powers itself off.
  Status stop(Deadline deadline);

  // A call in two steps over a stream that does not block, for who waits elsewhere until it is readable. What does not
  // fit at once is an error and the connection's end, so what is begun is to be short. Nothing, of an answer: it has
  // not come.
  Status begin(decltype(Request::body) body);
  Result<std::optional<Pong>> takePong(std::uint64_t nonce);
  Result<std::optional<Ran>> takeRan(std::uint64_t outputLimit);

  const FileDescriptor& stream() const { return stream_; }

 private:
  Result<Reply> call(decltype(Request::body) body, Deadline deadline);
  template <class Expected>
  Result<Expected> callFor(decltype(Request::body) body, Deadline deadline);
  Status send(std::span<const std::byte> bytes, Deadline deadline);
  Result<Reply> receive(std::uint64_t id, Deadline deadline);
  // Nothing, of these two: the reply is not complete. The second reads what there is first; the stream does not block.
  Result<std::optional<Reply>> replyAmongWhatCame(std::uint64_t id);
  Result<std::optional<Reply>> receiveSome(std::uint64_t id);
  Status readMore();  // once
  template <class Expected>
  Result<Expected> expected(Result<Reply> reply);
  template <class Expected>
  Result<std::optional<Expected>> takeSome();
  Result<Pong> checked(const Pong& pong, std::uint64_t nonce);

  FileDescriptor stream_;
  FrameReader frames_;
  std::uint64_t lastId_ = 0;
  // A request was sent in part, or what came back was no reply: nothing on this stream can be trusted any more.
  bool isBroken_ = false;
};

}  // namespace qm::agent
