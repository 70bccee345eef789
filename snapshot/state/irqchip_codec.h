// The chips that all vCPUs share to their schema and back.
#pragma once

#include "snapshot/schema/irqchip.capnp.h"
#include "vmm/hypervisor/state.h"
#include "vmm/result/result.h"

namespace qm::snapshot {

void storeIrqchip(const VmState& vm, schema::Irqchip::Builder to);
// May throw kj::Exception for a malformed message; answers an Error for what the schema's ranges refuse.
Result<VmState> loadIrqchip(schema::Irqchip::Reader from);

}  // namespace qm::snapshot
