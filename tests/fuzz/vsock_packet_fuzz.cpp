// Any sequence of packets, from a guest and from clients on the host, against the vsock muxer: it must neither crash
// nor leak nor send more than the guest's credit. The input is a list of steps: a kind byte, then what the kind needs.
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tests/fuzz/fuzz_input.h"
#include "vmm/devices/virtio/vsock/muxer.h"
#include "vmm/os/stream_socket.h"
#include "vmm/os/unix_socket.h"
#include "vmm/result/check.h"

namespace {

using namespace qm;
using namespace qm::vsock;
using qm::fuzz::Input;

// Gives some buffers and checks each packet against what a guest may rely on.
class CheckingGuest final : public GuestSide {
 public:
  std::optional<std::size_t> room() override { return buffers == 0 ? std::nullopt : std::optional<std::size_t>(64); }
  void deliver(const Header& header, std::span<const std::byte> payload) override {
    CHECK(buffers > 0 && payload.size() <= 64 && payload.size() == header.length);
    CHECK(operationOf(header).has_value() && header.sourceCid == kHostCid && header.destinationCid == 3);
    --buffers;
    last = {.hostPort = header.sourcePort, .guestPort = header.destinationPort};
  }
  void onNextTurn() override { muxer->pump(); }

  std::size_t buffers = 0;
  Ports last;
  Muxer* muxer = nullptr;
};

struct Machine {
  explicit Machine(const virtio::VsockState& state)
      : path(std::filesystem::temp_directory_path() / ("vsock-fuzz-" + std::to_string(::getpid()))),
        muxer(Muxer::create(
                  *loop,
                  {.socketPath = path, .agentPort = 52, .answerTime = std::chrono::hours(1), .maxConnections = 16},
                  state, guest, counters)
                  .value()) {
    guest.muxer = muxer.get();
  }
  void turn() {
    loop->stop();
    loop->run();
  }

  std::filesystem::path path;
  std::unique_ptr<EventLoop> loop = EventLoop::create().value();
  CheckingGuest guest;
  Counters counters;
  std::unique_ptr<Muxer> muxer;
};

// A header whose ports, type and addresses are mostly such that something happens.
void guestPacket(Machine& machine, Input& input) {
  Header header{.sourceCid = 3, .destinationCid = kHostCid};
  const std::uint8_t shape = input.byte();
  header.operation = input.byte();
  const std::size_t payload = std::size_t{input.byte()} * 8;
  header.sourcePort = machine.guest.last.guestPort;
  header.destinationPort = machine.guest.last.hostPort;
  if ((shape & 1) != 0) {
    header.sourcePort = input.byte() % 4;
    header.destinationPort = 9;  // where the fuzzer listens
  }
  header.flags = input.byte() % 4;
  header.bufferBytes = std::uint32_t{input.byte()} << ((shape & 2) != 0 ? 24 : 4);
  header.forwardedBytes = (shape & 4) != 0 ? std::uint32_t{input.byte()} << 20 : input.byte();
  if ((shape & 8) != 0) header.type = input.byte();
  if ((shape & 16) != 0) header.sourceCid = input.byte();
  if ((shape & 32) != 0) header.destinationCid = input.byte();
  const auto bytes = input.take(payload);
  header.length = static_cast<std::uint32_t>(bytes.size()) + ((shape & 64) != 0 ? input.byte() : 0);
  if (machine.muxer->takesPackets()) machine.muxer->receive(header, bytes);
  machine.muxer->pump();
}

void rawPacket(Machine& machine, Input& input) {
  std::array<std::byte, kHeaderBytes> bytes{};
  std::ranges::copy(input.take(bytes.size()), bytes.begin());
  if (machine.muxer->takesPackets()) machine.muxer->receive(decodeHeader(bytes), {});
  machine.muxer->pump();
}

void hostStep(Machine& machine, Input& input, std::vector<FileDescriptor>& clients) {
  const std::uint8_t what = input.byte();
  if (what % 4 == 0 || clients.empty()) {
    auto client = connectUnix(machine.path, Blocking::no);
    if (!client.has_value()) return;
    const std::string line = (what & 4) != 0 ? "CONNECT 52\nmore" : "CONNECT 7\n";
    (void)sendSome(*client, std::as_bytes(std::span(line)));
    clients.push_back(std::move(*client));
    return;
  }
  FileDescriptor& client = clients[input.byte() % clients.size()];
  if (what % 4 == 1) (void)sendSome(client, input.take(input.byte()));
  if (what % 4 == 2) stopSending(client);
  if (what % 4 == 3) {
    std::swap(client, clients.back());
    clients.pop_back();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  auto machine = std::make_unique<Machine>(virtio::VsockState{});
  const std::string listening = machine->path.native() + "_9";
  std::filesystem::remove(listening);
  const FileDescriptor listener = listenUnix(listening, Blocking::no).value();
  std::vector<FileDescriptor> clients;
  while (!input.isEmpty()) {
    switch (input.byte() % 8) {
      case 0:
      case 1:
      case 2:
        guestPacket(*machine, input);
        break;
      case 3:
        rawPacket(*machine, input);
        break;
      case 4:
        hostStep(*machine, input, clients);
        break;
      case 5:
        machine->guest.buffers += input.byte();
        machine->muxer->pump();
        break;
      case 6: {
        auto accepted = acceptUnix(listener, Blocking::no);
        if (accepted.has_value()) clients.push_back(std::move(*accepted));
        break;
      }
      default: {
        const virtio::VsockState state = machine->muxer->save();
        machine.reset();
        machine = std::make_unique<Machine>(state);
        CHECK(machine->muxer->save() == state);
        break;
      }
    }
    machine->turn();
  }
  machine.reset();
  std::filesystem::remove(listening);
  return 0;
}
