#include "vmm/os/stream_socket.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace qm {

Result<std::size_t> sendSome(const FileDescriptor& socket, std::span<const std::byte> bytes) {
  for (;;) {
    const ssize_t sent = ::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) return static_cast<std::size_t>(sent);
    if (errno != EINTR) return systemError("send", errno);
  }
}

Result<std::size_t> peekSome(const FileDescriptor& socket, std::span<std::byte> bytes) {
  for (;;) {
    const ssize_t arrived = ::recv(socket.get(), bytes.data(), bytes.size(), MSG_PEEK | MSG_DONTWAIT);
    if (arrived >= 0) return static_cast<std::size_t>(arrived);
    if (errno != EINTR) return systemError("recv", errno);
  }
}

Status dropPeeked(const FileDescriptor& socket, std::size_t bytes) {
  std::array<std::byte, 4096> dropped;
  while (bytes > 0) {
    const std::size_t count = TRY(readSome(socket, std::span(dropped).first(std::min(bytes, dropped.size()))));
    if (count == 0) return Error(Remedy::giveUp, "the stream ended within what it had shown");
    bytes -= count;
  }
  return {};
}

// shutdown(2) fails only when there is no peer to tell (ENOTCONN).
void stopSending(const FileDescriptor& socket) {
  (void)::shutdown(socket.get(), SHUT_WR);
}

void stopReceiving(const FileDescriptor& socket) {
  (void)::shutdown(socket.get(), SHUT_RD);
}

bool isHungUp(const FileDescriptor& socket) {
  pollfd asked{.fd = socket.get(), .events = 0, .revents = 0};
  return ::poll(&asked, 1, 0) > 0 && (asked.revents & (POLLHUP | POLLERR)) != 0;
}

}  // namespace qm
