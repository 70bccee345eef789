#include "vmm/devices/virtio/vsock/connect_listener.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "vmm/devices/virtio/vsock/connect_line.h"
#include "vmm/os/stream_socket.h"
#include "vmm/os/unix_socket.h"
#include "vmm/result/check.h"

namespace qm::vsock {

Result<std::unique_ptr<ConnectListener>> ConnectListener::create(EventLoop& loop, const std::filesystem::path& path,
                                                                 Callbacks callbacks) {
  std::error_code ignored;
  if (std::filesystem::exists(std::filesystem::symlink_status(path, ignored))) {
    return Error(Remedy::fixInput, "vsock cannot listen at " + path.string() +
                                       ": something is there, another VM's socket or one left over; remove it or "
                                       "choose another uds_path");
  }
  FileDescriptor listener = TRY(listenUnix(path, Blocking::no).during("making the vsock device's socket"));
  // From here on the destructor removes the file.
  std::unique_ptr<ConnectListener> made(new ConnectListener(loop, path, std::move(listener), std::move(callbacks)));
  TRY(made->listen());
  return made;
}

ConnectListener::ConnectListener(EventLoop& loop, std::filesystem::path path, FileDescriptor listener,
                                 Callbacks callbacks)
    : loop_(loop), path_(std::move(path)), listener_(std::move(listener)), callbacks_(std::move(callbacks)) {}

ConnectListener::~ConnectListener() {
  for (const auto& [number, client] : clients_) loop_.unwatch(client.file);
  loop_.unwatch(listener_);
  if (resting_ != 0) loop_.cancel(resting_);
  std::error_code ignored;
  std::filesystem::remove(path_, ignored);
}

Status ConnectListener::listen() {
  return loop_.watch(listener_, Ready::readable, [this](Ready) { acceptClients(); });
}

void ConnectListener::acceptClients() {
  Result<FileDescriptor> client = acceptUnix(listener_, Blocking::no);
  // Out of descriptors or memory: the client keeps waiting in the listener's queue, which would wake us at once again.
  if (!client.has_value()) return restFor(std::chrono::milliseconds(100));
  if (!callbacks_.admits()) return callbacks_.onRefusal();
  const std::uint64_t number = nextClient_++;
  const Client& made = clients_.emplace(number, Client{.file = std::move(*client), .line = {}}).first->second;
  if (!loop_.watch(made.file, Ready::readable, [this, number](Ready) { readLine(number); }).has_value()) refuse(number);
}

void ConnectListener::restFor(std::chrono::milliseconds time) {
  loop_.unwatch(listener_);
  resting_ = loop_.at(std::chrono::steady_clock::now() + time, [this] {
    resting_ = 0;
    if (!listen().has_value()) restFor(std::chrono::milliseconds(100));
  });
}

void ConnectListener::refuse(std::uint64_t number) {
  const auto found = clients_.find(number);
  CHECK(found != clients_.end());
  loop_.unwatch(found->second.file);
  clients_.erase(found);
  callbacks_.onRefusal();
}

// Looks ahead, so that what follows the line stays in the socket for the guest.
void ConnectListener::readLine(std::uint64_t number) {
  Client& client = clients_.at(number);
  std::array<std::byte, kConnectLineBytes> ahead;
  const std::span<std::byte> room = std::span(ahead).first(kConnectLineBytes - client.line.size());
  const Result<std::size_t> arrived = peekSome(client.file, room);
  if (!arrived.has_value() && arrived.error().remedy() == Remedy::retry) return;
  if (!arrived.has_value() || *arrived == 0) return refuse(number);

  const auto bytes = room.first(*arrived);
  const auto newline = std::ranges::find(bytes, std::byte{'\n'});
  const auto taken = static_cast<std::size_t>(newline - bytes.begin()) + (newline != bytes.end() ? 1 : 0);
  if (const auto read = readSome(client.file, bytes.first(taken)); !read.has_value() || *read != taken) {
    return refuse(number);
  }
  for (const std::byte byte : bytes.first(taken)) client.line.push_back(static_cast<char>(byte));
  if (newline == bytes.end()) {
    if (client.line.size() == kConnectLineBytes) refuse(number);
    return;
  }
  client.line.pop_back();
  const std::optional<std::uint32_t> port = parseConnectLine(client.line);
  if (!port.has_value()) return refuse(number);
  loop_.unwatch(client.file);
  FileDescriptor file = std::move(client.file);
  clients_.erase(number);
  callbacks_.onConnect(*port, std::move(file));
}

}  // namespace qm::vsock
