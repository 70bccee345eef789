// What a process may do, and giving it up (capabilities(7), credentials(7)). For processes with one thread: the kernel
// keeps all of it per thread.
#pragma once

#include <sys/types.h>

#include "vmm/result/result.h"

namespace qm {

// Whether this process may make namespaces and mounts and take other identities by itself (CAP_SYS_ADMIN, CAP_SETUID,
// CAP_SETGID, CAP_CHOWN), without a user namespace.
enum class Privilege : unsigned char { full, none };
Privilege ownPrivilege();

// Nothing that this process or a child of it executes gains a capability by it. It has to come before becomeUser, which
// takes the right to it away. A caller without that right (CAP_SETPCAP) keeps the set.
Status emptyBoundingSet();

// No group but `gid`; real, effective, saved and file-system ids alike.
Status becomeUser(uid_t uid, gid_t gid);

// Paths are looked up with this user's rights until the destruction (setfsuid(2)); everything else keeps its own.
class LookupAs {
 public:
  LookupAs(uid_t uid, gid_t gid);
  LookupAs(const LookupAs&) = delete;
  LookupAs& operator=(const LookupAs&) = delete;
  ~LookupAs();

 private:
  uid_t uid_;
  gid_t gid_;
};

// No capability is left, and no program that is executed from here on brings one (no_new_privs).
Status surrenderPrivileges();

// Other processes of this user cannot read, trace or dump this one any more (PR_SET_DUMPABLE, proc(5)); who has
// privileges over its user can.
Status hideFromOthers();

}  // namespace qm
