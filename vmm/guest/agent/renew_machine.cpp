#include "vmm/guest/agent/renew_machine.h"

#include "vmm/guest/system/identity.h"
#include "vmm/guest/system/network.h"

namespace qm::agent {

namespace {

Status renewNetwork(const Renew& renew) {
  if (!renew.mac.has_value() && !renew.ip.has_value() && !renew.gateway.has_value()) return {};
  const guest::NetworkInterface interface = TRY(guest::NetworkInterface::open("eth0"));
  if (renew.mac.has_value()) {
    const guest::MacAddress mac = TRY(guest::parseMac(*renew.mac));
    TRY(interface.setMac(mac));
  }
  if (renew.ip.has_value()) {
    const guest::Ipv4Network network = TRY(guest::parseNetwork(*renew.ip));
    TRY(interface.setNetwork(network));
  }
  if (renew.gateway.has_value()) {
    const std::uint32_t gateway = TRY(guest::parseIpv4(*renew.gateway));
    TRY(interface.setGateway(gateway));
  }
  return {};
}

}  // namespace

Status renewMachine(const Renew& renew) {
  // Entropy first: whatever follows may ask for a random number.
  TRY(guest::addEntropy(renew.entropy));
  TRY(guest::setWallClock(renew.wallClockNs));
  TRY(guest::setHostname(renew.hostname));
  TRY(guest::setMachineId(renew.machineId));
  return renewNetwork(renew);
}

}  // namespace qm::agent
