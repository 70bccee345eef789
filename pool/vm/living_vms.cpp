#include "pool/vm/living_vms.h"

#include <string>
#include <utility>

#include "pool/random/random_hex.h"

namespace qm::pool {
namespace {

constexpr std::size_t kIdBytes = 8;

Error closing() {
  return {Remedy::giveUp, "the pool is shutting down and starts no more VMs"};
}

}  // namespace

Result<Vm> LivingVms::spawn(VmPurpose purpose) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return closing();
  }
  return remembered(TRY(spawner_.spawn("vm-" + randomHex(kIdBytes), purpose)));
}

Result<Vm> LivingVms::reclaim(VmProcess& used) {
  return remembered(TRY(used.reclaim("vm-" + randomHex(kIdBytes))));
}

Result<Vm> LivingVms::remembered(Vm vm) {
  if (!remember(vm)) {
    vm->end();
    return closing();
  }
  return vm;
}

bool LivingVms::remember(const Vm& vm) {
  const std::lock_guard lock(mutex_);
  if (closed_) return false;
  std::erase_if(born_, [](const auto& other) { return other.expired(); });
  born_.push_back(vm);
  return true;
}

void LivingVms::close() {
  std::vector<std::weak_ptr<VmProcess>> born;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    born = std::exchange(born_, {});
  }
  // All die at once; then to wait for one is to wait for all.
  for (const auto& one : born) {
    if (const Vm vm = one.lock()) vm->kill();
  }
  for (const auto& one : born) {
    if (const Vm vm = one.lock()) vm->end();
  }
}

}  // namespace qm::pool
