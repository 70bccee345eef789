#include "vmm/network/route_socket.h"

#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <utility>

namespace qm::network {

namespace {

template <class Value>
std::span<const std::byte> bytesOf(const Value& value) {
  return std::as_bytes(std::span(&value, 1));
}

std::array<std::byte, 4> inNetworkOrder(std::uint32_t address) {
  return std::bit_cast<std::array<std::byte, 4>>(htonl(address));
}

constexpr std::size_t aligned(std::size_t bytes) {
  return (bytes + NLMSG_ALIGNTO - 1) / NLMSG_ALIGNTO * NLMSG_ALIGNTO;
}

ifinfomsg infoOf(std::uint32_t link) {
  ifinfomsg info{};
  info.ifi_family = AF_UNSPEC;
  info.ifi_index = static_cast<int>(link);
  return info;
}

// One attribute, as the value of another.
std::vector<std::byte> nested(std::uint16_t type, std::span<const std::byte> value) {
  const rtattr header{.rta_len = static_cast<std::uint16_t>(sizeof(rtattr) + value.size()), .rta_type = type};
  std::vector<std::byte> bytes;
  for (const auto part : {bytesOf(header), value}) bytes.insert(bytes.end(), part.begin(), part.end());
  bytes.resize(aligned(bytes.size()));
  return bytes;
}

}  // namespace

void RouteRequests::put(std::span<const std::byte> bytes) {
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  bytes_.resize(aligned(bytes_.size()));
}

std::size_t RouteRequests::begin(std::uint16_t type, std::uint16_t flags, std::string step) {
  const std::size_t start = bytes_.size();
  const nlmsghdr header{.nlmsg_len = 0,
                        .nlmsg_type = type,
                        .nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags),
                        .nlmsg_seq = static_cast<std::uint32_t>(steps_.size()),
                        .nlmsg_pid = 0};
  steps_.push_back(std::move(step));
  put(bytesOf(header));
  return start;
}

void RouteRequests::attribute(std::uint16_t type, std::span<const std::byte> value) {
  put(nested(type, value));
}

void RouteRequests::end(std::size_t start) {
  const auto length = static_cast<std::uint32_t>(bytes_.size() - start);
  std::memcpy(bytes_.data() + start + offsetof(nlmsghdr, nlmsg_len), &length, sizeof length);
}

RouteRequests& RouteRequests::describe(std::uint32_t link, const Mac& mac) {
  const std::size_t start = begin(RTM_NEWLINK, 0, "describing the tap");
  put(bytesOf(infoOf(link)));
  attribute(IFLA_ADDRESS, std::as_bytes(std::span(mac)));
  // Who asks for the gateway's MAC becomes a neighbour of it, and the kernel has one table of those for all
  // namespaces, the host's too (gc_thresh3): only who asks from the slot's own addresses is answered.
  const std::uint32_t on = 1;
  attribute(IFLA_AF_SPEC, nested(AF_INET, nested(IFLA_INET_CONF, nested(IPV4_DEVCONF_ARPFILTER, bytesOf(on)))));
  end(start);
  return *this;
}

RouteRequests& RouteRequests::bringUp(std::uint32_t link) {
  const std::size_t start = begin(RTM_NEWLINK, 0, "bringing the tap up");
  ifinfomsg info = infoOf(link);
  info.ifi_flags = IFF_UP;
  info.ifi_change = IFF_UP;
  put(bytesOf(info));
  end(start);
  return *this;
}

RouteRequests& RouteRequests::addAddress(std::uint32_t link, std::uint32_t address, std::uint8_t prefixBits) {
  const std::size_t start = begin(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, "giving the tap its address");
  const ifaddrmsg info{
      .ifa_family = AF_INET, .ifa_prefixlen = prefixBits, .ifa_flags = 0, .ifa_scope = 0, .ifa_index = link};
  put(bytesOf(info));
  attribute(IFA_LOCAL, inNetworkOrder(address));
  attribute(IFA_ADDRESS, inNetworkOrder(address));
  end(start);
  return *this;
}

RouteRequests& RouteRequests::addNeighbour(std::uint32_t link, std::uint32_t address, const Mac& mac) {
  const std::size_t start = begin(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, "telling the guest's MAC");
  ndmsg info{};
  info.ndm_family = AF_INET;
  info.ndm_ifindex = static_cast<int>(link);
  info.ndm_state = NUD_PERMANENT;
  put(bytesOf(info));
  attribute(NDA_DST, inNetworkOrder(address));
  attribute(NDA_LLADDR, std::as_bytes(std::span(mac)));
  end(start);
  return *this;
}

Status RouteRequests::send() const {
  const FileDescriptor socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!socket.isOpen()) return systemError("socket for rtnetlink", errno);
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  if (::sendto(socket.get(), bytes_.data(), bytes_.size(), 0, reinterpret_cast<const sockaddr*>(&kernel),
               sizeof kernel) < 0) {
    return systemError("asking rtnetlink", errno);
  }
  return acknowledged(socket);
}

// The kernel answers in order, each request by one message: its error, or 0.
Status RouteRequests::acknowledged(const FileDescriptor& socket) const {
  for (const std::string& step : steps_) {
    // An error repeats the request; the longest of ours is far shorter.
    alignas(nlmsghdr) std::array<std::byte, 1024> bytes{};
    const ssize_t length = ::recv(socket.get(), bytes.data(), bytes.size(), 0);
    if (length < 0) return systemError("hearing from rtnetlink", errno);
    nlmsghdr header{};
    nlmsgerr answer{};
    if (static_cast<std::size_t>(length) < sizeof header + sizeof answer)
      return Error(Remedy::giveUp, "rtnetlink answered too little");
    std::memcpy(&header, bytes.data(), sizeof header);
    if (header.nlmsg_type != NLMSG_ERROR) return Error(Remedy::giveUp, "rtnetlink answered something else");
    std::memcpy(&answer, bytes.data() + sizeof header, sizeof answer);
    if (answer.error != 0) return systemError(step, -answer.error);
  }
  return {};
}

}  // namespace qm::network
