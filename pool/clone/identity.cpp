#include "pool/clone/identity.h"

#include "pool/random/fresh_renewal.h"
#include "pool/random/random_hex.h"

namespace qm::pool {
namespace {

constexpr std::size_t kHostnameBytes = 4;

}  // namespace

agent::Renew freshIdentity(const Recipe& recipe, std::string_view vmId, WallTime now) {
  agent::Renew renew = freshRenewal(now);
  // At most 45 of the 64 that sethostname(2) takes.
  renew.hostname = recipe.name.substr(0, 36) + "-" + randomHex(kHostnameBytes);
  renew.cloneId = vmId;
  renew.hooks = recipe.afterRestore;
  return renew;
}

}  // namespace qm::pool
