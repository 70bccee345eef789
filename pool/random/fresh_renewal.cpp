#include "pool/random/fresh_renewal.h"

#include <chrono>

#include "pool/random/random_hex.h"
#include "pool/random/random_nonce.h"
#include "vmm/os/random.h"

namespace qm::pool {
namespace {

constexpr std::size_t kEntropyBytes = 64;  // twice what fills the kernel's pool
constexpr std::size_t kMachineIdBytes = 16;

}  // namespace

agent::Renew freshRenewal(WallTime now) {
  return {.entropy = randomBytes(kEntropyBytes),
          .wallClockNs = std::chrono::duration_cast<std::chrono::nanoseconds>(now.time_since_epoch()).count(),
          .machineId = randomHex(kMachineIdBytes),
          .nonce = randomNonce()};
}

}  // namespace qm::pool
