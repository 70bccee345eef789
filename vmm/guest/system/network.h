// The guest's one network interface, by ioctls (netdevice(7)): addresses, link, default route. Needs root.
#pragma once

#include <cstdint>
#include <string>

#include "vmm/guest/system/network_address.h"
#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm::guest {

class NetworkInterface {
 public:
  // fixInput: there is none of that name.
  static Result<NetworkInterface> open(const std::string& name);

  // virtio-net takes it while the link is up.
  Status setMac(const MacAddress& mac) const;
  // Takes the place of the address before, with its routes; the link goes up.
  Status setNetwork(const Ipv4Network& network) const;
  // The default route, through this interface.
  Status setGateway(std::uint32_t gateway) const;
  Status bringUp() const;

 private:
  NetworkInterface(std::string name, FileDescriptor socket) : name_(std::move(name)), socket_(std::move(socket)) {}

  std::string name_;
  FileDescriptor socket_;
};

}  // namespace qm::guest
