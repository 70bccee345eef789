#include "vmm/jail/jail.h"

#include <unistd.h>

#include <array>

#include "vmm/jail/jail_root.h"
#include "vmm/os/folder.h"
#include "vmm/os/landlock.h"
#include "vmm/os/namespaces.h"
#include "vmm/seccomp/jail_filter.h"

namespace qm {

JailMaker jailMaker(const PeerIdentity& client) {
  return {.privilege = ownPrivilege(), .uid = ::geteuid(), .gid = ::getegid(), .client = client};
}

namespace {

// The limit on processes counts all of a user's, so it is for a user of one jail only.
ProcessLimits limitsOf(const JailPolicy& policy, const JailPlan& plan, const JailMaker& maker) {
  ProcessLimits limits = policy.limits;
  if (plan.newFiles == NewFiles::denied) limits.fileBytes = policy.givenFileBytes;
  if (policy.isolation == Isolation::bare || maker.privilege == Privilege::none) limits.processes.reset();
  return limits;
}

Status enterByIsolation(const JailPolicy& policy, const JailPlan& plan, const JailMaker& maker, const JailParts& parts,
                        uid_t uid) {
  if (policy.isolation == Isolation::bare) return enterFolder(plan.folder);
  if (parts.network != nullptr) TRY(enterNamespace(*parts.network, Namespace::network));
  if (maker.privilege == Privilege::none) {
    TRY(mapIdentity(uid, policy.gid, maker.uid, maker.gid).during("mapping the jail's user"));
  }
  // Its root is the VM's group, in which this process is.
  if (maker.privilege == Privilege::full) TRY(moveToOwn(std::array{Namespace::cgroup}));
  TRY(enterJailRoot(policy, plan, maker, parts, uid).during("making the jail's root"));
  if (maker.privilege == Privilege::full) TRY(becomeUser(uid, policy.gid).during("leaving the spawner's user"));
  return {};
}

}  // namespace

Status enterJail(const JailPolicy& policy, const JailPlan& plan, const JailMaker& maker, const JailParts& parts,
                 uid_t uid) {
  TRY(enterByIsolation(policy, plan, maker, parts, uid));
  TRY(limitThis(limitsOf(policy, plan, maker)));
  TRY(surrenderPrivileges());
  if (parts.denials != nullptr) TRY(restrictBy(*parts.denials));
  return seccomp::restrictJailed();
}

}  // namespace qm
