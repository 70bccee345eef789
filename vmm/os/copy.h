// Work that a copy of this process does, in namespaces of its own, and whose failure is told here.
#pragma once

#include <chrono>
#include <functional>
#include <span>

#include "vmm/os/file_descriptor.h"
#include "vmm/os/namespaces.h"
#include "vmm/os/process.h"
#include "vmm/result/result.h"

namespace qm {

// In the copy. `teller` carries a failure home; who rearranges descriptors keeps it open and close-on-exec.
using CopiedWork = std::function<Status(FileDescriptor& teller)>;

// Answers once the work is done (the copy exits with 0 then) or has become another program. An error of the work is
// the answer, and the copy is gone; so it is when it takes longer than `limit` (retry). The caller has one thread and
// reaps what it gets. `cgroup` is cloneProcess's.
Result<Process> runInCopy(std::span<const Namespace> namespaces, const CopiedWork& work,
                          std::chrono::milliseconds limit, const FileDescriptor* cgroup = nullptr);

}  // namespace qm
