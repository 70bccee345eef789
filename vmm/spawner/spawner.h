// The spawner: answers requests on one socket until the other end is closed, one at a time. What it started lives on
// when it ends. An ended child stays until its end is asked for, so a pid means the same process to both sides, and
// holds its user until then; besides it keeps what makes the next jail cheap (vmm/jail/jail_stock.h).
#pragma once

#include <span>

#include "vmm/jail/jail_plan.h"
#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"
#include "vmm/spawner/message.h"

namespace qm::spawner {

// The calling process has one thread.
Status serve(const FileDescriptor& socket, const JailPolicy& policy);

}  // namespace qm::spawner
