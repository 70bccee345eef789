#include "vmm/jail/jail.h"

#include <unistd.h>

#include "vmm/jail/jail_root.h"
#include "vmm/os/folder.h"

namespace qm {

JailMaker jailMaker(const PeerIdentity& client) {
  return {.privilege = ownPrivilege(), .uid = ::geteuid(), .gid = ::getegid(), .client = client};
}

std::vector<Namespace> namespacesFor(const JailPolicy& policy, const JailPlan& plan, Privilege privilege) {
  if (policy.isolation == Isolation::bare) return {};
  std::vector<Namespace> all;
  if (privilege == Privilege::none) all.push_back(Namespace::user);
  all.insert(all.end(), {Namespace::mount, Namespace::pid, Namespace::ipc, Namespace::uts, Namespace::cgroup});
  if (plan.network == JailNetwork::none) all.push_back(Namespace::network);
  return all;
}

Status enterJail(const JailPolicy& policy, const JailPlan& plan, const JailMaker& maker) {
  if (policy.isolation == Isolation::bare) {
    TRY(enterFolder(plan.folder));
    return surrenderPrivileges();
  }
  if (maker.privilege == Privilege::none) {
    TRY(mapIdentity(policy.uid, policy.gid, maker.uid, maker.gid).during("mapping the jail's user"));
  }
  TRY(enterJailRoot(policy, plan, maker).during("making the jail's root"));
  if (maker.privilege == Privilege::full) TRY(becomeUser(policy.uid, policy.gid).during("leaving the spawner's user"));
  return surrenderPrivileges();
}

}  // namespace qm
