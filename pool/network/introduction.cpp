#include "pool/network/introduction.h"

#include "pool/random/fresh_renewal.h"
#include "vmm/network/slot_address.h"

namespace qm::pool {

agent::Renew introduction(std::string_view name, WallTime now) {
  agent::Renew renew = freshRenewal(now);
  renew.hostname = name;
  renew.ip = network::kGuestNetworkText;
  renew.gateway = network::kGatewayText;
  renew.cloneId = name;
  return renew;
}

}  // namespace qm::pool
