// A vCPU's thread, the one that runs the guest: it opens nothing, connects to nothing, starts nothing.
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "vmm/hypervisor/kvm/requests.h"
#include "vmm/seccomp/compiler/rule.h"

namespace qm::seccomp {

Rules vcpuRules() {
  Rules rules = any({SYS_rt_sigtimedwait});
  for (const std::uint32_t request : kvm::requestsOf(kvm::Caller::vcpu)) {
    rules.push_back({.call = SYS_ioctl, .tests = {is(1, request)}});
  }
  return rules;
}

}  // namespace qm::seccomp
