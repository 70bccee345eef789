// Going to jail: what a fresh copy of the spawner does to itself before it becomes the program that runs there.
//
// Order. The user's map first: without it nothing is allowed in a user namespace. Mounts private next, or the host
// would see ours. Every host path is opened before the root is left, with the client's rights to look things up, and
// what was opened is what is used: a link that changes meanwhile changes nothing. The new root is entered while empty,
// so that links in what is put there lead nowhere else. Root read-only, then the user, then capabilities: each step
// needs a right that the next one gives up. Last what needs no right: limits, Landlock, the jail's filter of system
// calls, which holds for whatever program runs here; a VMM's own come on top (vmm/seccomp).
#pragma once

#include "vmm/jail/jail_plan.h"
#include "vmm/os/message_socket.h"
#include "vmm/os/privilege.h"
#include "vmm/result/result.h"

namespace qm {

// Who makes the jail and for whom, taken before cloneProcess: a copy in a user namespace no longer sees it.
struct JailMaker {
  Privilege privilege = Privilege::none;
  uid_t uid = 0;
  gid_t gid = 0;
  PeerIdentity client;  // whose rights find the paths; whose folder it must be
};
JailMaker jailMaker(const PeerIdentity& client);

// What a jail takes from the stock (jail_stock.h); not owned here, null where there is none.
struct JailParts {
  const FileDescriptor* denials = nullptr;  // Landlock's
  const FileDescriptor* network = nullptr;  // the namespace to go to
  const FileDescriptor* mould = nullptr;    // the mount namespace to copy; none: the root is made from nothing
};

// In the copy, which has one thread. `uid` is one of the policy's. After an error the copy is fit for nothing but to
// end. `plan` was checked.
Status enterJail(const JailPolicy& policy, const JailPlan& plan, const JailMaker& maker, const JailParts& parts,
                 uid_t uid);

}  // namespace qm
