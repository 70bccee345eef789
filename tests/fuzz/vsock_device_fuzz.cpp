// Any driver, and any client of the host, against the vsock device: what vsock_packet_fuzz leaves out, packets in
// whatever pieces the rings make of them, and buffers that hold none.
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/fuzz/hostile_driver.h"
#include "vmm/devices/virtio/vsock/vsock_device.h"
#include "vmm/os/stream_socket.h"
#include "vmm/os/unix_socket.h"

namespace {

using namespace qm;
using namespace qm::virtio;

class Host {
 public:
  Host() {
    std::filesystem::remove(listening());
    listener_ = listenUnix(listening(), Blocking::no).value();
  }
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;
  ~Host() { std::filesystem::remove(listening()); }

  // A restored device comes while the former is there: each has a socket of its own.
  std::unique_ptr<Device> plug(const DeviceState* state) {
    socket_ = base().native() + std::to_string(sockets_++);
    return vsock::VsockDevice::create(
               *loop_,
               {.socketPath = socket_, .agentPort = 52, .answerTime = std::chrono::hours(1), .maxConnections = 8},
               state == nullptr ? VsockState{} : std::get<VsockState>(*state))
        .value();
  }
  void turn(fuzz::Input& input) {
    const std::uint8_t what = input.byte();
    if (what % 8 == 1) connect((what & 8) != 0 ? "CONNECT 52\nmore" : "CONNECT 7\n");
    if (what % 8 == 2 && !peers_.empty()) (void)sendSome(peers_.back(), input.take(what / 8));
    if (what % 8 == 3 && !peers_.empty()) peers_.pop_back();
    if (what % 8 == 4) {
      if (auto peer = acceptUnix(listener_, Blocking::no); peer.has_value()) peers_.push_back(*std::move(peer));
    }
    loop_->stop();
    loop_->run();
  }

 private:
  static std::filesystem::path base() {
    return std::filesystem::temp_directory_path() / ("vsock-device-fuzz-" + std::to_string(::getpid()));
  }
  // Port 9, for the first device's guest.
  static std::filesystem::path listening() { return base().native() + "0_9"; }
  void connect(const std::string& line) {
    auto peer = connectUnix(socket_, Blocking::no);
    if (!peer.has_value()) return;
    (void)sendSome(*peer, std::as_bytes(std::span(line)));
    peers_.push_back(*std::move(peer));
  }

  std::unique_ptr<EventLoop> loop_ = EventLoop::create().value();
  FileDescriptor listener_;
  std::filesystem::path socket_;
  std::vector<FileDescriptor> peers_;
  unsigned sockets_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  Host host;
  fuzz::HostileDriver driver([&](const DeviceState* state) { return host.plug(state); });
  driver.run(input, [&](fuzz::Input& rest) { host.turn(rest); });
  return 0;
}
