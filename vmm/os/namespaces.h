// A copy of the calling process in namespaces of its own (clone3(2), namespaces(7), user_namespaces(7)).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <span>

#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm {

enum class Namespace : std::uint8_t { user, mount, pid, ipc, uts, network, cgroup };

struct ClonedProcess {
  pid_t pid = 0;         // 0: this is the copy
  FileDescriptor pidfd;  // of the copy, in the original
};

// The copy has every descriptor, the memory as it was (copy on write) and default signal handlers. The caller has one
// thread: a lock that another one held would stay held in the copy.
// An error names the namespaces, and says what the host's administrator can do about it.
// `cgroup`: the folder of a control group of version 2, where the copy begins its life; null: it is where we are.
Result<ClonedProcess> cloneProcess(std::span<const Namespace> namespaces, const FileDescriptor* cgroup = nullptr);

// This process and what it starts from here on, in namespaces of their own (unshare(2)); of pid, what it starts only.
// Errors as cloneProcess's.
Status moveToOwn(std::span<const Namespace> namespaces);
// Open, a namespace lives on when nobody is in it. fixInput: /proc is not there.
Result<FileDescriptor> openOwn(Namespace kind);
// Into one that is open; of mount, its root becomes root and working directory.
Status enterNamespace(const FileDescriptor& open, Namespace kind);

// In a new user namespace: `uid` and `gid` inside are `outerUid` and `outerGid` outside, who must be those who made it.
Status mapIdentity(uid_t uid, gid_t gid, uid_t outerUid, gid_t outerGid);

const char* nameOf(Namespace kind);
// Why the kernel refuses a namespace of this kind with this errno, and the way out, as one sentence's second half.
const char* remedyOf(Namespace kind, int errnoValue);

}  // namespace qm
