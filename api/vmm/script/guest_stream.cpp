#include "api/vmm/script/guest_stream.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "vmm/os/stream_socket.h"
#include "vmm/os/unix_socket.h"

namespace qm::vmm::script {

Result<std::unique_ptr<GuestStream>> GuestStream::connect(EventLoop& loop, const std::filesystem::path& socket,
                                                          std::uint32_t port, OnReceived onReceived) {
  FileDescriptor connected = TRY(connectUnix(socket, Blocking::no));
  std::unique_ptr<GuestStream> stream(new GuestStream(loop, std::move(connected), std::move(onReceived)));
  const std::string line = fmt::format("CONNECT {}\n", port);
  TRY(stream->send(std::as_bytes(std::span(line))));
  TRY(loop.watch(stream->socket_, Ready::readable, [raw = stream.get()](Ready) { raw->receive(); }));
  return stream;
}

GuestStream::~GuestStream() {
  if (socket_.isOpen()) loop_.unwatch(socket_);
}

Status GuestStream::send(std::span<const std::byte> bytes) {
  if (!socket_.isOpen()) return Error(Remedy::giveUp, "the guest has closed the connection, or refused it");
  const std::size_t all = bytes.size();
  while (!bytes.empty()) {
    const Result<std::size_t> sent = sendSome(socket_, bytes);
    if (!sent.has_value()) {
      return Error(Remedy::giveUp, fmt::format("the connection takes {} of {} bytes ({}): let the guest read first",
                                               all - bytes.size(), all, sent.error().text()));
    }
    bytes = bytes.subspan(*sent);
  }
  return {};
}

std::span<const std::byte> GuestStream::withoutGreeting(std::span<const std::byte> bytes) {
  if (isGreeted_) return bytes;
  const auto newline = std::ranges::find(bytes, std::byte{'\n'});
  isGreeted_ = newline != bytes.end();
  return bytes.subspan(static_cast<std::size_t>(newline - bytes.begin()) + (isGreeted_ ? 1 : 0));
}

// All that is there: what stays would be in the way of what the guest sends next.
void GuestStream::receive() {
  std::array<std::byte, 16 * 1024> buffer;
  for (;;) {
    const Result<std::size_t> count = readSome(socket_, buffer);
    if (!count.has_value() && count.error().remedy() == Remedy::retry) return;
    if (!count.has_value() || *count == 0) break;
    const std::span<const std::byte> bytes = withoutGreeting(std::span(buffer).first(*count));
    if (!bytes.empty()) onReceived_(bytes);
  }
  loop_.unwatch(socket_);
  socket_.close();
  onReceived_({});
}

}  // namespace qm::vmm::script
