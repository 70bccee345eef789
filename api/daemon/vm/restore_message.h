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
// A plan with files; `vsock` is the name of the socket in the VM's folder.
RestoreMessage restoreMessage(const pool::RestorePlan& plan, std::string_view vsock);
// Of the interface in a network slot; the tap stays the caller's.
void giveTap(RestoreMessage& message, const FileDescriptor& tap);

// Of 64 hexadecimal digits.
Result<MemoryDigest> bytesOfDigest(std::string_view sha256);

}  // namespace qm
