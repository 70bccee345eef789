#include "tests/attack/busy_host.h"

#include <array>
#include <chrono>
#include <string>

#include "vmm/os/stream_socket.h"
#include "vmm/os/unix_socket.h"

namespace qm::test {

BusyHost::BusyHost(std::filesystem::path socket)
    : socket_(std::move(socket)),
      listener_(listenUnix(socket_.native() + "_" + std::to_string(kListenedPort), Blocking::no).value()),
      worker_([this](const std::stop_token& stop) {
        while (!stop.stop_requested()) turn();
      }) {}

void BusyHost::turn() {
  accept();
  // Of whom the guest does not answer, the VMM keeps each for two seconds: more of them leave no room for any other.
  if (turns_++ % 10 == 0) ask();
  const std::array<std::byte, 16'384> bytes{};
  for (const FileDescriptor& peer : accepted_) (void)sendSome(peer, bytes);
  for (const FileDescriptor& peer : asking_) (void)sendSome(peer, std::span(bytes).first(100));
  std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

// The oldest goes when there are many, so that some end by the host.
void BusyHost::accept() {
  constexpr std::size_t kMost = 200;
  for (auto peer = acceptUnix(listener_, Blocking::no); peer.has_value(); peer = acceptUnix(listener_, Blocking::no)) {
    accepted_.push_back(*std::move(peer));
    if (accepted_.size() > kMost) accepted_.pop_front();
  }
}

void BusyHost::ask() {
  constexpr std::size_t kMost = 20;
  auto peer = connectUnix(socket_, Blocking::no);
  if (!peer.has_value()) return;
  const std::string line = "CONNECT " + std::to_string(kAskedPort) + "\n";
  (void)sendSome(*peer, std::as_bytes(std::span(line)));
  asking_.push_back(*std::move(peer));
  if (asking_.size() > kMost) asking_.pop_front();
}

}  // namespace qm::test
