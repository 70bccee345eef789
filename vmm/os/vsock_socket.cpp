#include "vmm/os/vsock_socket.h"

#include <linux/vm_sockets.h>
#include <sys/socket.h>

#include <cerrno>

namespace qm {

namespace {

sockaddr_vm addressOf(std::uint32_t cid, std::uint32_t port) {
  sockaddr_vm address{};
  address.svm_family = AF_VSOCK;
  address.svm_cid = cid;
  address.svm_port = port;
  return address;
}

}  // namespace

Result<FileDescriptor> listenVsock(std::uint32_t port, Blocking blocking) {
  const int type = SOCK_STREAM | SOCK_CLOEXEC | (blocking == Blocking::no ? SOCK_NONBLOCK : 0);
  FileDescriptor file(::socket(AF_VSOCK, type, 0));
  if (!file.isOpen()) return systemError("socket AF_VSOCK", errno);
  const sockaddr_vm address = addressOf(VMADDR_CID_ANY, port);
  if (::bind(file.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0)
    return systemError("bind vsock port " + std::to_string(port), errno);
  if (::listen(file.get(), SOMAXCONN) < 0) return systemError("listen on vsock port " + std::to_string(port), errno);
  return file;
}

Result<FileDescriptor> acceptVsock(const FileDescriptor& listener, Blocking blocking) {
  // accept(2) does not look at the family.
  return acceptUnix(listener, blocking);
}

Result<FileDescriptor> connectVsock(std::uint32_t cid, std::uint32_t port) {
  FileDescriptor file(::socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!file.isOpen()) return systemError("socket AF_VSOCK", errno);
  const sockaddr_vm address = addressOf(cid, port);
  if (::connect(file.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) {
    const bool later = errno == ENODEV || errno == ECONNRESET || errno == ECONNREFUSED || errno == ETIMEDOUT ||
                       errno == EINTR || errno == EHOSTUNREACH;
    return systemError(later ? Remedy::retry : Remedy::giveUp,
                       "connect to vsock " + std::to_string(cid) + ":" + std::to_string(port), errno);
  }
  return file;
}

}  // namespace qm
