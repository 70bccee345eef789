// The agent's place: whoever listens on its port answers the host. These deeds never end; the test ends the VM.
#include <linux/vm_sockets.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <vector>

#include "tests/attack/guest/deeds.h"
#include "tests/attack/guest/physical.h"

namespace hostile {

namespace {

constexpr unsigned kAgentPort = 5200;

// Takes one connection after the other, waits for some bytes, answers these.
void answerWith(const std::vector<std::uint8_t>& bytes, int times) {
  const int listener = ::socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_vm address{};
  address.svm_family = AF_VSOCK;
  address.svm_port = kAgentPort;
  address.svm_cid = VMADDR_CID_ANY;
  if (listener < 0 || ::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0 ||
      ::listen(listener, 8) < 0) {
    say("the port is not to be had");
    return;
  }
  say("listening");
  for (;;) {
    const int peer = ::accept(listener, nullptr, nullptr);
    std::array<std::uint8_t, 4096> asked{};
    if (peer < 0 || ::read(peer, asked.data(), asked.size()) <= 0) continue;
    for (int i = 0; i < times; ++i) {
      if (::send(peer, bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0) break;
    }
    ::close(peer);
  }
}

void answerGarbage() {
  std::vector<std::uint8_t> bytes(4096);
  Chance chance(3);
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(chance.next() >> 32U);
  answerWith(bytes, 1);
}

// A frame begins with the count of its segments, less one, and their lengths in words (Cap'n Proto, "Serialization Over
// a Stream").
void answerEndlessly() {
  std::vector<std::uint8_t> bytes(65'536, 0xff);
  answerWith(bytes, 10'000);
}

void claimALongFrame() {
  answerWith({0, 0, 0, 0, 0xff, 0xff, 0xff, 0x7f}, 1);
}

void cutAFrame() {
  answerWith({0, 0, 0, 0, 16, 0, 0, 0, 1, 2, 3}, 1);
}

constexpr std::array kDeeds{
    Deed{"agent-garbage", answerGarbage},
    Deed{"agent-endless", answerEndlessly},
    Deed{"agent-long-frame", claimALongFrame},
    Deed{"agent-cut-frame", cutAFrame},
};

}  // namespace

std::span<const Deed> channelDeeds() {
  return kDeeds;
}

}  // namespace hostile
