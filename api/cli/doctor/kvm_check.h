// Which of KVM's three states this host is in.
#pragma once

#include "api/cli/doctor/finding.h"
#include "vmm/hypervisor/kvm/probe.h"
#include "vmm/result/result.h"

namespace qm::cli {

Finding checkKvm(const Result<KvmKind>& probed);

}  // namespace qm::cli
