// What a VMM is sent so that it becomes a clone.
#pragma once

#include <string_view>
#include <vector>

#include "api/vmm/control/control_values.h"
#include "pool/vm/vm_process.h"
#include "vmm/hypervisor/soft/prepared_code.h"
#include "vmm/result/result.h"

namespace qm {

struct RestoreMessage {
  vmm::control::Load load;
  std::vector<int> files;  // the plan's still
};
// A plan with files.
RestoreMessage restoreMessage(const pool::RestorePlan& plan);

// Of 64 hexadecimal digits.
Result<MemoryDigest> bytesOfDigest(std::string_view sha256);

}  // namespace qm
