#include "vmm/guest/system/network.h"

#include <net/if.h>
#include <net/if_arp.h>
#include <net/route.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "vmm/os/ioctl.h"

namespace qm::guest {

namespace {

ifreq requestFor(const std::string& name) {
  ifreq request{};
  std::memcpy(request.ifr_name, name.data(), std::min(name.size(), sizeof request.ifr_name - 1));
  return request;
}

void putAddress(sockaddr& into, std::uint32_t address) {
  sockaddr_in ipv4{};
  ipv4.sin_family = AF_INET;
  ipv4.sin_addr.s_addr = address;
  std::memcpy(&into, &ipv4, sizeof ipv4);
}

}  // namespace

Result<NetworkInterface> NetworkInterface::open(const std::string& name) {
  FileDescriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket.isOpen()) return systemError("socket", errno);
  ifreq request = requestFor(name);
  if (!callIoctl(socket, SIOCGIFINDEX, &request, "SIOCGIFINDEX").has_value())
    return Error(Remedy::fixInput, "this machine has no network interface " + name);
  return NetworkInterface(name, std::move(socket));
}

Status NetworkInterface::setMac(const MacAddress& mac) const {
  ifreq request = requestFor(name_);
  request.ifr_hwaddr.sa_family = ARPHRD_ETHER;
  std::memcpy(request.ifr_hwaddr.sa_data, mac.data(), mac.size());
  TRY(callIoctl(socket_, SIOCSIFHWADDR, &request, "setting the MAC of " + name_));
  return {};
}

Status NetworkInterface::setNetwork(const Ipv4Network& network) const {
  ifreq request = requestFor(name_);
  putAddress(request.ifr_addr, network.address);
  TRY(callIoctl(socket_, SIOCSIFADDR, &request, "setting the address of " + name_));
  putAddress(request.ifr_netmask, network.mask);
  TRY(callIoctl(socket_, SIOCSIFNETMASK, &request, "setting the netmask of " + name_));
  return bringUp();
}

Status NetworkInterface::bringUp() const {
  ifreq request = requestFor(name_);
  TRY(callIoctl(socket_, SIOCGIFFLAGS, &request, "SIOCGIFFLAGS"));
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP | IFF_RUNNING);
  TRY(callIoctl(socket_, SIOCSIFFLAGS, &request, "bringing up " + name_));
  return {};
}

Status NetworkInterface::setGateway(std::uint32_t gateway) const {
  rtentry route{};
  std::string name = name_;
  putAddress(route.rt_dst, INADDR_ANY);
  putAddress(route.rt_genmask, INADDR_ANY);
  route.rt_dev = name.data();
  // One that was there before; a new address has usually taken it along.
  (void)callIoctl(socket_, SIOCDELRT, &route, "SIOCDELRT");
  putAddress(route.rt_gateway, gateway);
  route.rt_flags = RTF_UP | RTF_GATEWAY;
  TRY(callIoctl(socket_, SIOCADDRT, &route, "setting the default route"));
  return {};
}

}  // namespace qm::guest
