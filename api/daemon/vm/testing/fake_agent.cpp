#include "api/daemon/vm/testing/fake_agent.h"

#include <chrono>
#include <string>
#include <string_view>

#include "vmm/guest/protocol/frame_reader.h"
#include "vmm/guest/protocol/reply_codec.h"
#include "vmm/guest/protocol/request_codec.h"
#include "vmm/os/unix_socket.h"

namespace qm::test {

namespace {

std::vector<std::byte> bytesOf(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

// Until it is killed, or has far more than any test lets it have.
void fillMemory() {
  constexpr std::size_t kMost = std::size_t{1} << 30U;
  constexpr std::size_t kStep = std::size_t{1} << 20U;
  std::vector<std::vector<std::byte>> all;
  for (std::size_t bytes = 0; bytes < kMost; bytes += kStep) all.emplace_back(kStep, std::byte{1});
}

agent::Ran ranOf(const agent::Run& run) {
  const std::string& program = run.argv.front();
  if (program == "/bin/cat") return {.out = run.stdin};
  if (program == "false") return {.exitCode = 1, .err = bytesOf("false as ever\n")};
  if (program == "fill") fillMemory();
  if (program == "sleep") std::this_thread::sleep_for(std::chrono::hours(1));
  std::string words;
  for (const std::string& word : run.argv) words += (words.empty() ? "" : " ") + word;
  return {.out = bytesOf(words + "\n")};
}

struct Answerer {
  std::uint64_t guestNonce;
  int connection;
  using Body = decltype(agent::Reply::body);
  Body operator()(const agent::Ping& ping) const {
    return agent::Pong{.nonce = ping.nonce, .guestNonce = guestNonce, .handledUs = 1};
  }
  Body operator()(const agent::Renew& renew) const {
    return agent::Renewed{.guestNonce = guestNonce, .hooks = std::vector<agent::HookResult>(renew.hooks.size())};
  }
  Body operator()(const agent::Run& run) const {
    if (run.argv.front() == "which") return agent::Ran{.out = bytesOf(std::to_string(connection))};
    return ranOf(run);
  }
  Body operator()(const agent::Stop&) const { return agent::Stopping{}; }
  Body operator()(const agent::Refusal& refusal) const { return refusal; }
};

// Until the peer goes.
void serve(const FileDescriptor& peer, std::uint64_t guestNonce, int connection) {
  std::byte letter{};
  while (readSome(peer, std::span(&letter, 1)).value_or(0) == 1 && letter != std::byte{'\n'}) {
  }
  if (!writeAll(peer, bytesOf("OK 1024\n")).has_value()) return;
  agent::FrameReader frames;
  for (;;) {
    const std::size_t count = readSome(peer, frames.room()).value_or(0);
    if (count == 0) return;
    frames.filled(count);
    for (auto frame = frames.front().value(); frame; frame = frames.front().value()) {
      const agent::Request request = agent::decodeRequest(*frame).value();
      frames.drop();
      const agent::Reply reply{.id = request.id, .body = std::visit(Answerer{guestNonce, connection}, request.body)};
      if (!writeAll(peer, agent::encodeReply(reply).value()).has_value()) return;
    }
  }
}

}  // namespace

FakeAgent::FakeAgent(const std::filesystem::path& socket, std::uint64_t guestNonce)
    : listener_(listenUnix(socket, Blocking::yes).value()), guestNonce_(guestNonce), thread_([this] {
        for (int connection = 1;; ++connection) {
          FileDescriptor peer = acceptUnix(listener_, Blocking::yes).value();
          std::thread([peer = std::move(peer), nonce = guestNonce_, connection] {
            serve(peer, nonce, connection);
          }).detach();
        }
      }) {
  thread_.detach();
}

}  // namespace qm::test
