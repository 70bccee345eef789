// All VMs that the pool has started and that still are: the one place where they are born, so that none outlives it.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "pool/vm/vm_process.h"
#include "vmm/result/result.h"

namespace qm::pool {

// Shared, because a tenant's call may be under way while another thread ends the VM.
using Vm = std::shared_ptr<VmProcess>;

// Threads: any.
class LivingVms {
 public:
  explicit LivingVms(VmSpawner& spawner) : spawner_(spawner) {}
  ~LivingVms() { close(); }
  LivingVms(const LivingVms&) = delete;
  LivingVms& operator=(const LivingVms&) = delete;

  // A blank under a fresh random name. giveUp after close().
  Result<Vm> spawn(VmPurpose purpose);
  // The process of one that was restored, as a VM that waits for a guest, under a fresh name (VmProcess::reclaim).
  Result<Vm> reclaim(VmProcess& used);
  // Ends every VM, whoever holds it and whatever it does; one that is just being spawned ends when it is there.
  void close();

 private:
  Result<Vm> remembered(Vm vm);
  bool remember(const Vm& vm);

  VmSpawner& spawner_;
  std::mutex mutex_;  // protects what follows; never held while a VM is spawned or ended
  bool closed_ = false;
  std::vector<std::weak_ptr<VmProcess>> born_;
};

}  // namespace qm::pool
