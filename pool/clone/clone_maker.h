// Makes VMs that may be handed out: renewed, and answering from the memory that they should have. Fail closed: whatever
// goes wrong, the VM is destroyed and the failure told; no VM comes out of here half done.
#pragma once

#include "pool/clock/clock.h"
#include "pool/clone/phase_timer.h"
#include "pool/template/guest_preparation.h"
#include "pool/template/recipe.h"
#include "pool/template/snapshot_shelf.h"
#include "pool/vm/limits.h"
#include "pool/vm/living_vms.h"
#include "vmm/result/result.h"

namespace qm::pool {

// Threads: any; it keeps nothing between calls.
class CloneMaker {
 public:
  CloneMaker(LivingVms& vms, const Clock& clock, const Limits& limits) : vms_(vms), clock_(clock), limits_(limits) {}

  // A clone of `image` in `blank`, or, where that is null, in a process spawned for it. On failure timer.at() is the
  // phase that failed.
  Result<Vm> restore(const Recipe& recipe, const TemplateImage& image, Vm blank, PhaseTimer& timer) const;
  // The same in a process whose guest a tenant has done with, which LivingVms::reclaim answered.
  Result<Vm> reset(const Recipe& recipe, const TemplateImage& image, Vm used, PhaseTimer& timer) const;
  // A clone to be looked at, not to be handed out: the same, in a process of its own, and observed.
  Result<Vm> restoreToObserve(const Recipe& recipe, const TemplateImage& image, PhaseTimer& timer) const;
  // The same from cold.
  Result<Vm> boot(const Recipe& recipe, PhaseTimer& timer) const;

 private:
  // `how` is the phase: restore or reset.
  Status restoreInto(VmProcess& vm, const Recipe& recipe, const TemplateImage& image, Observing observing, Phase how,
                     PhaseTimer& timer) const;
  Status bootInto(VmProcess& vm, const Recipe& recipe, PhaseTimer& timer) const;
  Status renewAndProve(VmProcess& vm, const Recipe& recipe, std::uint64_t guestNonce, PhaseTimer& timer) const;

  LivingVms& vms_;
  const Clock& clock_;
  Limits limits_;
};

}  // namespace qm::pool
