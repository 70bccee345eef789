// Which system calls a thread may make from here on (seccomp(2), mode 2).
//
// A filter stays for the thread's life and goes to the threads that it starts, where another only takes away more. A
// vCPU's thread is started by the loop's, so what it may do is what both allow.
#pragma once

#include <string_view>

#include "vmm/result/result.h"
#include "vmm/seccomp/thread_role.h"

namespace qm::seccomp {

// The sanitizers' runtimes make calls of their own, so in a build with them there is `off` alone.
bool isBuiltWithSanitizer();
Level defaultLevel();
// "0", "1", "2"; fixInput: another word, or one that this build cannot keep.
Result<Level> levelNamed(std::string_view word);

// For the calling thread, which can never gain privileges after it (no_new_privs). `off` changes nothing.
Status restrictThread(ThreadRole role, Level level);

}  // namespace qm::seccomp
