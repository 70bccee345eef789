// Landlock (landlock(7)): what a process denies to itself and to what it becomes, without privileges.
#pragma once

#include <cstdint>

#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm {

// What this kernel's Landlock can deny: 0, it has none; from 6 on (Linux 6.12) also the reach to others' abstract
// sockets and to their signals.
inline constexpr int kLandlockScopes = 6;
int landlockVersion();

// Denials that go with any program in a jail, as far as the kernel has them: to make links, devices or pipes in a file
// system, to move files from one folder to another; to reach abstract Unix sockets and processes that are not its own
// or its children's. Open: for restrictBy, any number of times. giveUp: the kernel has no Landlock.
//
// New files denied: regular ones and folders as well, so that it writes to nothing but what it has open. Sockets can be
// made.
enum class NewFiles : std::uint8_t { allowed, denied };
Result<FileDescriptor> jailDenials(NewFiles newFiles);

// For this process, which has one thread and can gain no privileges (no_new_privs) or has CAP_SYS_ADMIN. Those who are
// restricted one after the other are strangers to each other.
Status restrictBy(const FileDescriptor& denials);

}  // namespace qm
