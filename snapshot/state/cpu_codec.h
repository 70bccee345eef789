// A vCPU's state to its schema and back.
#pragma once

#include "snapshot/schema/cpu.capnp.h"
#include "vmm/hypervisor/state.h"
#include "vmm/result/result.h"

namespace qm::snapshot {

void storeCpu(const CpuState& cpu, schema::Cpu::Builder to);
// May throw kj::Exception for a malformed message; answers an Error for what the schema's ranges refuse.
Result<CpuState> loadCpu(schema::Cpu::Reader from);

}  // namespace qm::snapshot
