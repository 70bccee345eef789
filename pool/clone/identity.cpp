#include "pool/clone/identity.h"

#include "pool/random/random_hex.h"
#include "pool/random/random_nonce.h"
#include "vmm/os/random.h"

namespace qm::pool {
namespace {

constexpr std::size_t kEntropyBytes = 64;  // twice what fills the kernel's pool
constexpr std::size_t kMachineIdBytes = 16;
constexpr std::size_t kHostnameBytes = 4;

}  // namespace

agent::Renew freshIdentity(const Recipe& recipe, std::string_view vmId, WallTime now) {
  return {.entropy = randomBytes(kEntropyBytes),
          .wallClockNs = std::chrono::duration_cast<std::chrono::nanoseconds>(now.time_since_epoch()).count(),
          // At most 45 of the 64 that sethostname(2) takes.
          .hostname = recipe.name.substr(0, 36) + "-" + randomHex(kHostnameBytes),
          .machineId = randomHex(kMachineIdBytes),
          .cloneId = std::string(vmId),
          .hooks = recipe.afterRestore,
          .nonce = randomNonce()};
}

}  // namespace qm::pool
