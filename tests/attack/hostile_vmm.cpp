// What stands in a VMM's place and talks to the daemon: well, until its boot source names a kernel "deed-NAME"; from
// then on it does that deed in place of every answer, or its agent does in place of every reply.
//   hostile_vmm --control NUMBER …
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "api/daemon/vm/testing/fake_agent.h"
#include "api/vmm/control/codec.h"
#include "vmm/os/message_socket.h"
#include "vmm/os/unix_socket.h"

namespace qm::test {
namespace {

namespace control = vmm::control;
using Bytes = std::vector<std::byte>;

constexpr std::uint64_t kGuestNonce = 7;

Bytes bytesOf(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

Bytes wellSaid(std::uint64_t id) {
  return control::encode({.id = id, .answer = {}});
}

void tell(const FileDescriptor& socket, const Bytes& bytes, const std::vector<int>& files = {}) {
  (void)sendMessage(socket, bytes, files);
}

[[noreturn]] void die() {
  (void)::kill(::getpid(), SIGKILL);
  ::_exit(1);
}

// In place of the answer to request `id`.
struct ControlDeed {
  std::string_view name;
  void (*act)(const FileDescriptor& socket, std::uint64_t id);
};
constexpr std::array kControlDeeds{
    ControlDeed{"answer-cut",
                [](const FileDescriptor& socket, std::uint64_t id) {
                  Bytes bytes = wellSaid(id);
                  bytes.resize(bytes.size() / 2);
                  tell(socket, bytes);
                }},
    ControlDeed{"answer-garbage",
                [](const FileDescriptor& socket, std::uint64_t) { tell(socket, Bytes(4096, std::byte{0xff})); }},
    ControlDeed{"answer-zeros", [](const FileDescriptor& socket, std::uint64_t) { tell(socket, Bytes(65'536)); }},
    // The library refuses to send so much.
    ControlDeed{"answer-too-long",
                [](const FileDescriptor& socket, std::uint64_t) {
                  const Bytes bytes(100'000, std::byte{1});
                  (void)::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
                }},
    ControlDeed{"answer-empty",
                [](const FileDescriptor& socket, std::uint64_t) { (void)::send(socket.get(), "", 0, MSG_NOSIGNAL); }},
    ControlDeed{"answer-to-another",
                [](const FileDescriptor& socket, std::uint64_t id) { tell(socket, wellSaid(id + 1)); }},
    ControlDeed{"answer-flood",
                [](const FileDescriptor& socket, std::uint64_t id) {
                  for (int i = 0; i < 1000; ++i) {
                    const Bytes bytes = wellSaid(id + 7);
                    if (::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT) < 0) return;
                  }
                }},
    // Files that the daemon did not ask for, and a status that is none.
    ControlDeed{
        "answer-with-files",
        [](const FileDescriptor& socket, std::uint64_t id) {
          tell(socket,
               control::encode({.id = id, .answer = {.status = 65'535, .body = "\n\x1b[2J{\"fault_message\":7}"}}),
               std::vector<int>(100, socket.get()));
        }},
    ControlDeed{"dies", [](const FileDescriptor&, std::uint64_t) { die(); }},
    ControlDeed{"hangs-up",
                [](const FileDescriptor& socket, std::uint64_t) { (void)::shutdown(socket.get(), SHUT_RDWR); }},
};

// To whoever connects to the guest's vsock; comes back to hang up.
struct AgentDeed {
  std::string_view name;
  void (*act)(const FileDescriptor& peer);
};
void say(const FileDescriptor& peer, const Bytes& bytes) {
  (void)writeAll(peer, bytes);
}
void hear(const FileDescriptor& peer) {
  std::array<std::byte, 4096> heard{};
  (void)readSome(peer, heard);
}
constexpr std::array kAgentDeeds{
    AgentDeed{"agent-no-ok", [](const FileDescriptor& peer) { say(peer, bytesOf("NO\n")); }},
    AgentDeed{"agent-endless-line", [](const FileDescriptor& peer) { say(peer, Bytes(1U << 20U, std::byte{'O'})); }},
    AgentDeed{"agent-garbage-frame",
              [](const FileDescriptor& peer) {
                say(peer, bytesOf("OK 1024\n"));
                hear(peer);
                say(peer, Bytes(65'536, std::byte{0x5a}));
              }},
    AgentDeed{"agent-long-frame",
              [](const FileDescriptor& peer) {
                say(peer, bytesOf("OK 1024\n"));
                hear(peer);
                constexpr std::array<unsigned char, 8> kClaim{0, 0, 0, 0, 0xff, 0xff, 0xff, 0x7f};
                const auto claim = std::as_bytes(std::span(kClaim));
                say(peer, {claim.begin(), claim.end()});
              }},
    AgentDeed{"agent-cut",
              [](const FileDescriptor& peer) {
                say(peer, bytesOf("OK 1024\n"));
                hear(peer);
                say(peer, Bytes(5));
              }},
    AgentDeed{"agent-dies",
              [](const FileDescriptor& peer) {
                say(peer, bytesOf("OK 1024\n"));
                hear(peer);
                die();
              }},
};

class HostileVmm {
 public:
  explicit HostileVmm(FileDescriptor socket) : socket_(std::move(socket)) {}

  void serve() {
    for (;;) {
      const Message message = receiveMessage(socket_).value();
      if (message.bytes.empty()) return;
      answer(control::decodeRequest(message.bytes, message.descriptors.size()).value());
    }
  }

 private:
  void answer(const control::Request& request) {
    const auto* ask = std::get_if<control::Ask>(&request.body);
    if (ask != nullptr && ask->target == "/boot-source") learn(ask->body);
    if (deed_ != nullptr) return deed_->act(socket_, request.id);
    if (ask != nullptr && ask->target == "/actions") begin();
    tell(socket_, wellSaid(request.id));
  }
  void learn(const std::string& body) {
    for (const ControlDeed& deed : kControlDeeds) {
      if (body.contains("deed-" + std::string(deed.name) + "\"")) deed_ = &deed;
    }
    for (const AgentDeed& deed : kAgentDeeds) {
      if (body.contains("deed-" + std::string(deed.name) + "\"")) agentDeed_ = &deed;
    }
  }
  void begin() {
    if (agentDeed_ == nullptr) {
      agent_ = std::make_unique<FakeAgent>("vsock.sock", kGuestNonce);
      return;
    }
    std::thread([deed = agentDeed_, listener = listenUnix("vsock.sock", Blocking::yes).value()] {
      for (;;) {
        const FileDescriptor peer = acceptUnix(listener, Blocking::yes).value();
        hear(peer);
        deed->act(peer);
      }
    }).detach();
  }

  FileDescriptor socket_;
  const ControlDeed* deed_ = nullptr;
  const AgentDeed* agentDeed_ = nullptr;
  std::unique_ptr<FakeAgent> agent_;
};

}  // namespace
}  // namespace qm::test

int main(int count, char** words) {
  if (count < 3 || std::string_view(words[1]) != "--control") return 2;
  (void)::signal(SIGPIPE, SIG_IGN);
  qm::test::HostileVmm(qm::FileDescriptor(qm::vmm::control::kSocketNumber)).serve();
}
