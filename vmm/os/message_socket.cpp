#include "vmm/os/message_socket.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "vmm/result/check.h"

namespace qm {

namespace {

// Room for one SCM_RIGHTS message, aligned as cmsg(3) wants it.
struct alignas(cmsghdr) RightsBuffer {
  std::array<std::byte, CMSG_SPACE(kMessageDescriptors * sizeof(int))> bytes{};
};

// Takes every descriptor that came, so that none leaks, whatever else is wrong with the message.
std::vector<FileDescriptor> takeRights(msghdr& header) {
  std::vector<FileDescriptor> taken;
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int number = -1;
      std::memcpy(&number, CMSG_DATA(part) + i * sizeof number, sizeof number);
      taken.emplace_back(number);
    }
  }
  return taken;
}

Status setTimeout(const FileDescriptor& socket, int option, std::chrono::milliseconds time, const char* name) {
  const timeval value{.tv_sec = time.count() / 1000, .tv_usec = time.count() % 1000 * 1000};
  if (::setsockopt(socket.get(), SOL_SOCKET, option, &value, sizeof value) < 0) return systemError(name, errno);
  return {};
}

}  // namespace

Result<std::pair<FileDescriptor, FileDescriptor>> messageSocketPair() {
  int ends[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) return systemError("socketpair", errno);
  return std::pair(FileDescriptor(ends[0]), FileDescriptor(ends[1]));
}

Status sendMessage(const FileDescriptor& socket, std::span<const std::byte> bytes, std::span<const int> descriptors) {
  // An empty message would read as the end.
  CHECK(!bytes.empty());
  if (bytes.size() > kMessageBytes || descriptors.size() > kMessageDescriptors) {
    return Error(Remedy::fixInput, "a message has at most " + std::to_string(kMessageBytes) + " bytes and " +
                                       std::to_string(kMessageDescriptors) + " descriptors");
  }
  // sendmsg does not write through iov_base.
  iovec part{.iov_base = const_cast<std::byte*>(bytes.data()), .iov_len = bytes.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  RightsBuffer rights;
  if (!descriptors.empty()) {
    header.msg_control = rights.bytes.data();
    header.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
    cmsghdr* first = CMSG_FIRSTHDR(&header);
    first->cmsg_level = SOL_SOCKET;
    first->cmsg_type = SCM_RIGHTS;
    first->cmsg_len = CMSG_LEN(descriptors.size_bytes());
    std::memcpy(CMSG_DATA(first), descriptors.data(), descriptors.size_bytes());
  }
  while (::sendmsg(socket.get(), &header, MSG_NOSIGNAL) < 0) {
    if (errno != EINTR) return systemError("sendmsg", errno);
  }
  return {};
}

Result<Message> receiveMessage(const FileDescriptor& socket) {
  Message message;
  // Its length first: room for the longest would cost a process that receives one short message sixteen page faults.
  ssize_t length = -1;
  do {
    length = ::recv(socket.get(), nullptr, 0, MSG_PEEK | MSG_TRUNC);
  } while (length < 0 && errno == EINTR);
  if (length < 0) return systemError("recv", errno);
  message.bytes.resize(std::min(static_cast<std::size_t>(length), kMessageBytes));
  iovec part{.iov_base = message.bytes.data(), .iov_len = message.bytes.size()};
  RightsBuffer rights;
  msghdr header{};
  ssize_t count = -1;
  do {
    header = {};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = rights.bytes.data();
    header.msg_controllen = rights.bytes.size();
    count = ::recvmsg(socket.get(), &header, MSG_CMSG_CLOEXEC);
  } while (count < 0 && errno == EINTR);
  if (count < 0) return systemError("recvmsg", errno);
  message.descriptors = takeRights(header);
  if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
    return Error(Remedy::fixInput, "a message came that has too many bytes or descriptors");
  }
  message.bytes.resize(static_cast<std::size_t>(count));
  return message;
}

Status setReceiveTimeout(const FileDescriptor& socket, std::chrono::milliseconds time) {
  return setTimeout(socket, SO_RCVTIMEO, time, "SO_RCVTIMEO");
}

Status setSendTimeout(const FileDescriptor& socket, std::chrono::milliseconds time) {
  return setTimeout(socket, SO_SNDTIMEO, time, "SO_SNDTIMEO");
}

Result<PeerIdentity> peerIdentity(const FileDescriptor& socket) {
  ucred peer{};
  socklen_t bytes = sizeof peer;
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &bytes) < 0) return systemError("SO_PEERCRED", errno);
  return PeerIdentity{.uid = peer.uid, .gid = peer.gid};
}

}  // namespace qm
