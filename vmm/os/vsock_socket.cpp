#include "vmm/os/vsock_socket.h"

#include <linux/vm_sockets.h>
#include <sys/socket.h>

#include <cerrno>

namespace qm {

Result<FileDescriptor> listenVsock(std::uint32_t port, Blocking blocking) {
  const int type = SOCK_STREAM | SOCK_CLOEXEC | (blocking == Blocking::no ? SOCK_NONBLOCK : 0);
  FileDescriptor file(::socket(AF_VSOCK, type, 0));
  if (!file.isOpen()) return systemError("socket AF_VSOCK", errno);
  sockaddr_vm address{};
  address.svm_family = AF_VSOCK;
  address.svm_cid = VMADDR_CID_ANY;
  address.svm_port = port;
  if (::bind(file.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0)
    return systemError("bind vsock port " + std::to_string(port), errno);
  if (::listen(file.get(), SOMAXCONN) < 0) return systemError("listen on vsock port " + std::to_string(port), errno);
  return file;
}

Result<FileDescriptor> acceptVsock(const FileDescriptor& listener, Blocking blocking) {
  // accept(2) does not look at the family.
  return acceptUnix(listener, blocking);
}

}  // namespace qm
