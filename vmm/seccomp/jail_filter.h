// The filter of a jail, whatever runs there: calls that reach past a process's own files and memory, to other
// processes, namespaces, mounts, keys or the kernel's rarer and larger interfaces, answer EPERM.
#pragma once

#include "vmm/result/result.h"

namespace qm::seccomp {

// For this process, which can gain no privileges (no_new_privs), and for what it becomes. A build with a sanitizer,
// whose runtime stops its own threads by ptrace, installs none.
Status restrictJailed();

}  // namespace qm::seccomp
