// From a blank to a guest that is booted, answers and is warmed: what a template's snapshot is taken of, and, where
// there is no snapshot, what becomes of a VM on the boot road. So both hand out the same.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "pool/template/recipe.h"
#include "pool/vm/limits.h"
#include "pool/vm/vm_process.h"
#include "vmm/result/result.h"

namespace qm::pool {

// Called before each step with a few words for people: "warming up, 1 of 2".
using Progress = std::function<void(std::string_view)>;

// Each is one step, of a VM's phases boot, connect, ping and warmUp.
Status bootGuest(VmProcess& vm, const Recipe& recipe, const Limits& limits);
Status connectBooted(VmProcess& vm, const Limits& limits);
// The nonce that lives in this guest's memory.
Result<std::uint64_t> learnGuestNonce(VmProcess& vm, const Limits& limits);
// Tells a guest with a network its address, then the warm-up, then the hooks before the snapshot: whatever the warm-up
// leaves, they see.
Status warmUp(VmProcess& vm, const Recipe& recipe, const Limits& limits, const Progress& progress);

// What the recipe has trial clones do, as its tenants will.
Status rehearse(VmProcess& vm, const Recipe& recipe, const Limits& limits);

// The reply of design.md: a fresh nonce comes back, and the guest's own is `guestNonce`.
Status provesMemory(VmProcess& vm, std::uint64_t guestNonce, const Limits& limits);

}  // namespace qm::pool
