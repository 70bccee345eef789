#include "api/daemon/egress/own_address.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>

#include "vmm/os/file_descriptor.h"

namespace qm {

namespace {

// "By which route would this go?", of an address of either length.
template <std::size_t kBytes>
struct Question {
  nlmsghdr header{};
  rtmsg route{};
  rtattr attribute{};
  std::array<std::uint8_t, kBytes> address{};
};

template <std::size_t kBytes>
Question<kBytes> questionOf(std::uint8_t family, const std::array<std::uint8_t, kBytes>& address) {
  static_assert(sizeof(Question<kBytes>) == NLMSG_LENGTH(sizeof(rtmsg)) + RTA_LENGTH(kBytes), "no padding");
  Question<kBytes> question{.address = address};
  question.header.nlmsg_len = sizeof question;
  question.header.nlmsg_type = RTM_GETROUTE;
  question.header.nlmsg_flags = NLM_F_REQUEST;
  question.route.rtm_family = family;
  question.route.rtm_dst_len = 8 * kBytes;
  question.attribute.rta_type = RTA_DST;
  question.attribute.rta_len = RTA_LENGTH(kBytes);
  return question;
}

// The route's type, RTN_UNREACHABLE where there is none; none: the kernel does not say.
template <class Asked>
std::optional<std::uint8_t> typeOfRoute(const Asked& question) {
  const FileDescriptor socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!socket.isOpen()) return std::nullopt;
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  const auto* where = reinterpret_cast<const sockaddr*>(&kernel);
  if (::sendto(socket.get(), &question, sizeof question, 0, where, sizeof kernel) < 0) return std::nullopt;
  // A route's attributes may not fit; they are not asked for.
  alignas(nlmsghdr) std::array<std::byte, 1024> bytes{};
  const ssize_t length = ::recv(socket.get(), bytes.data(), bytes.size(), 0);
  nlmsghdr header{};
  if (length < static_cast<ssize_t>(sizeof header)) return std::nullopt;
  std::memcpy(&header, bytes.data(), sizeof header);
  const std::size_t rest = static_cast<std::size_t>(length) - sizeof header;
  if (header.nlmsg_type == RTM_NEWROUTE && rest >= sizeof(rtmsg)) {
    rtmsg route{};
    std::memcpy(&route, bytes.data() + sizeof header, sizeof route);
    return route.rtm_type;
  }
  nlmsgerr refusal{};
  if (header.nlmsg_type != NLMSG_ERROR || rest < sizeof refusal) return std::nullopt;
  std::memcpy(&refusal, bytes.data() + sizeof header, sizeof refusal);
  const bool isNowhere = refusal.error == -ENETUNREACH || refusal.error == -EHOSTUNREACH || refusal.error == -EACCES;
  return isNowhere ? std::optional<std::uint8_t>(RTN_UNREACHABLE) : std::nullopt;
}

}  // namespace

bool isOwnAddress(const boost::asio::ip::address& address) {
  const std::optional<std::uint8_t> type = address.is_v4()
                                               ? typeOfRoute(questionOf(AF_INET, address.to_v4().to_bytes()))
                                               : typeOfRoute(questionOf(AF_INET6, address.to_v6().to_bytes()));
  return !type || *type == RTN_LOCAL || *type == RTN_BROADCAST || *type == RTN_ANYCAST;
}

}  // namespace qm
