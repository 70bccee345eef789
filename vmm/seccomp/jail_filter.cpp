#include "vmm/seccomp/jail_filter.h"

#include "vmm/seccomp/compiled.h"
#include "vmm/seccomp/install.h"
#include "vmm/seccomp/thread_filter.h"

namespace qm::seccomp {

Status restrictJailed() {
  if (isBuiltWithSanitizer()) return {};
  return install(compiledJailFilter()).during("installing the jail's seccomp filter");
}

}  // namespace qm::seccomp
