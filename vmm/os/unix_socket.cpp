#include "vmm/os/unix_socket.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

namespace qm {

namespace {

int typeOf(Blocking blocking) {
  return SOCK_STREAM | SOCK_CLOEXEC | (blocking == Blocking::no ? SOCK_NONBLOCK : 0);
}

Result<sockaddr_un> addressOf(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string& name = path.native();
  if (name.empty() || name.size() >= sizeof address.sun_path) {
    return Error(Remedy::fixInput,
                 "a socket's path has 1 to 107 bytes; this one has " + std::to_string(name.size()) + ": " + name);
  }
  std::memcpy(address.sun_path, name.data(), name.size());
  return address;
}

Result<FileDescriptor> streamSocket(Blocking blocking) {
  FileDescriptor file(::socket(AF_UNIX, typeOf(blocking), 0));
  if (!file.isOpen()) return systemError("socket", errno);
  return file;
}

// bind and connect take the generic address type.
const sockaddr* generic(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

}  // namespace

Result<FileDescriptor> listenUnix(const std::filesystem::path& path, Blocking blocking) {
  const sockaddr_un address = TRY(addressOf(path));
  FileDescriptor file = TRY(streamSocket(blocking));
  if (::bind(file.get(), generic(address), sizeof address) < 0)
    return systemError(Remedy::fixInput, "bind " + path.string(), errno);
  if (::listen(file.get(), SOMAXCONN) < 0) return systemError("listen " + path.string(), errno);
  return file;
}

Result<FileDescriptor> acceptUnix(const FileDescriptor& listener, Blocking blocking) {
  for (;;) {
    const int flags = SOCK_CLOEXEC | (blocking == Blocking::no ? SOCK_NONBLOCK : 0);
    FileDescriptor file(::accept4(listener.get(), nullptr, nullptr, flags));
    if (file.isOpen()) return file;
    if (errno != EINTR && errno != ECONNABORTED) return systemError("accept", errno);
  }
}

Result<FileDescriptor> connectUnix(const std::filesystem::path& path, Blocking blocking) {
  const sockaddr_un address = TRY(addressOf(path));
  FileDescriptor file = TRY(streamSocket(blocking));
  if (::connect(file.get(), generic(address), sizeof address) < 0) {
    // Nobody listens yet, or its queue is full: the same call may succeed later.
    const bool later = errno == ENOENT || errno == ECONNREFUSED || errno == EAGAIN || errno == EINTR;
    return systemError(later ? Remedy::retry : Remedy::giveUp, "connect " + path.string(), errno);
  }
  return file;
}

Result<pid_t> listenersPid(const FileDescriptor& connected) {
  // unix(7): the credentials that were in effect at listen(2), translated into our pid namespace.
  ucred peer{};
  socklen_t bytes = sizeof peer;
  if (::getsockopt(connected.get(), SOL_SOCKET, SO_PEERCRED, &peer, &bytes) < 0) {
    return systemError("getsockopt SO_PEERCRED", errno);
  }
  if (peer.pid <= 0) return Error(Remedy::giveUp, "the listening process is in a pid namespace that is not below ours");
  return peer.pid;
}

Result<std::pair<FileDescriptor, FileDescriptor>> unixSocketPair() {
  int ends[2] = {-1, -1};
  if (::socketpair(AF_UNIX, typeOf(Blocking::yes), 0, ends) < 0) return systemError("socketpair", errno);
  return std::pair(FileDescriptor(ends[0]), FileDescriptor(ends[1]));
}

}  // namespace qm
