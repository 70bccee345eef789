#include "vmm/network/slot.h"

#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "vmm/network/route_socket.h"
#include "vmm/network/slot_address.h"
#include "vmm/os/tap.h"

namespace qm::network {

namespace {

constexpr const char* kTapName = "tap0";
constexpr int kWaiting = 16;  // connections of the guest that nobody has accepted yet

sockaddr_in endpoint(std::uint32_t address, std::uint16_t port) {
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(port);
  where.sin_addr.s_addr = htonl(address);
  return where;
}

const sockaddr* plain(const sockaddr_in& where) {
  return reinterpret_cast<const sockaddr*>(&where);
}

// Without an address a link still hears router advertisements (RFC 4861, section 6), and a guest that sends them makes
// addresses, routes and neighbours without end. What is made here after this has no IPv6 at all.
Status refuseIpv6() {
  constexpr const char* kSwitch = "/proc/sys/net/ipv6/conf/default/disable_ipv6";
  if (::access(kSwitch, F_OK) < 0 && errno == ENOENT) return {};  // a kernel without IPv6
  return writeKernelFile(kSwitch, "1");
}

// The way out is for the host's administrator, who reads it in the daemon's log or from the doctor.
template <class T>
Result<T> orElse(Result<T> outcome, const char* wayOut) {
  if (outcome.has_value()) return outcome;
  return Error(outcome.error().remedy(), outcome.error().text() + "; " + wayOut);
}

Result<FileDescriptor> openSlotTap() {
  const bool isThere = ::access("/dev/net/tun", F_OK) == 0;
  return orElse(openTap(kTapName),
                isThere
                    ? "who makes network slots needs CAP_NET_ADMIN and the right to open /dev/net/tun (in a container "
                      "its runtime must give both)"
                    : "load the module tun (modprobe tun), or give the container /dev/net/tun");
}

}  // namespace

Result<FileDescriptor> furnishSlot() {
  TRY(orElse(refuseIpv6(),
             "make /proc/sys writable, which containers often have read-only (Docker: --security-opt "
             "systempaths=unconfined)"));
  FileDescriptor tap = TRY(openSlotTap());
  const std::uint32_t link = ::if_nametoindex(kTapName);
  if (link == 0) return systemError("looking for the tap", errno);
  TRY(orElse(RouteRequests()
                 .describe(link, kGatewayMac)
                 .bringUp(link)
                 .addAddress(link, kGatewayAddress, kPrefixBits)
                 .addNeighbour(link, kGuestAddress, kGuestMac)
                 .send(),
             "who makes network slots needs CAP_NET_ADMIN"));
  return tap;
}

Result<FileDescriptor> openSlotSocket(SlotSocket kind) {
  FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
  if (!socket.isOpen()) return systemError("making a socket in a network slot", errno);
  if (kind == SlotSocket::toGuest) return socket;
  const sockaddr_in here = endpoint(kGatewayAddress, kProxyPort);
  if (::bind(socket.get(), plain(here), sizeof here) < 0) return systemError("binding in a network slot", errno);
  if (::listen(socket.get(), kWaiting) < 0) return systemError("listening in a network slot", errno);
  return socket;
}

Status beginConnecting(const FileDescriptor& socket, std::uint16_t port) {
  const int yes = 1;
  (void)::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  const sockaddr_in guest = endpoint(kGuestAddress, port);
  if (::connect(socket.get(), plain(guest), sizeof guest) == 0 || errno == EINPROGRESS) return {};
  return systemError(Remedy::retry, "connecting to the guest", errno);
}

Status connectingEnded(const FileDescriptor& socket) {
  int failure = 0;
  socklen_t length = sizeof failure;
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &failure, &length) < 0) return systemError("getsockopt", errno);
  if (failure != 0) return systemError(Remedy::retry, "connecting to the guest", failure);
  return {};
}

}  // namespace qm::network
