#include "pool/network/introduction.h"

#include "pool/random/random_hex.h"
#include "pool/random/random_nonce.h"
#include "vmm/network/slot_address.h"
#include "vmm/os/random.h"

namespace qm::pool {

namespace {

constexpr std::size_t kEntropyBytes = 64;
constexpr std::size_t kMachineIdBytes = 16;

}  // namespace

agent::Renew introduction(std::string_view name, std::int64_t wallClockNs) {
  return {.entropy = randomBytes(kEntropyBytes),
          .wallClockNs = wallClockNs,
          .hostname = std::string(name),
          .machineId = randomHex(kMachineIdBytes),
          .mac = {},
          .ip = network::kGuestNetworkText,
          .gateway = network::kGatewayText,
          .cloneId = std::string(name),
          .hooks = {},
          .nonce = randomNonce()};
}

}  // namespace qm::pool
