// The host's end of a connection to a port of the guest, by the vsock's Unix socket: "CONNECT <port>", then bytes both
// ways. It never waits: what it sends stands in the socket until the guest takes it, and what the guest sends is read
// as soon as it is there. Threads: the loop's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "vmm/loop/event_loop.h"
#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm::vmm::script {

class GuestStream {
 public:
  using OnReceived = std::function<void(std::span<const std::byte>)>;

  // onReceived: what the guest sent, without the "OK <port>" line; no bytes: the stream is at its end, because the
  // guest closed or refused it. The loop outlives the stream.
  static Result<std::unique_ptr<GuestStream>> connect(EventLoop& loop, const std::filesystem::path& socket,
                                                      std::uint32_t port, OnReceived onReceived);
  GuestStream(const GuestStream&) = delete;
  GuestStream& operator=(const GuestStream&) = delete;
  ~GuestStream();

  // giveUp: the stream is at its end, or so much waits in it that these do not fit.
  Status send(std::span<const std::byte> bytes);

 private:
  GuestStream(EventLoop& loop, FileDescriptor socket, OnReceived onReceived)
      : loop_(loop), socket_(std::move(socket)), onReceived_(std::move(onReceived)) {}
  void receive();
  std::span<const std::byte> withoutGreeting(std::span<const std::byte> bytes);

  EventLoop& loop_;
  FileDescriptor socket_;  // not open: the stream is at its end
  OnReceived onReceived_;
  bool isGreeted_ = false;  // the line that the muxer answers with has been read
};

}  // namespace qm::vmm::script
