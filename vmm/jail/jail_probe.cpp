#include "vmm/jail/jail_probe.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "vmm/jail/jail.h"
#include "vmm/jail/jail_plan.h"
#include "vmm/os/copy.h"
#include "vmm/os/folder.h"
#include "vmm/os/mount.h"
#include "vmm/os/namespaces.h"

namespace qm {

namespace {

constexpr std::chrono::seconds kLimit{5};

Status nothing(FileDescriptor&) {
  return {};
}

JailPart tried(std::string name, const std::vector<Namespace>& namespaces, const CopiedWork& work) {
  const Result<Process> copy = runInCopy(namespaces, work, kLimit);
  if (!copy.has_value()) return {.name = std::move(name), .works = false, .remedy = copy.error().text()};
  (void)copy->reap();
  return {.name = std::move(name), .works = true, .remedy = {}};
}

// The namespace itself, in a user namespace where the privileges for it are missing. `kind` comes first: an error
// is explained by it.
std::vector<Namespace> with(Namespace kind, Privilege privilege) {
  if (kind == Namespace::user || privilege == Privilege::full) return {kind};
  return {kind, Namespace::user};
}

Status swapRoot(FileDescriptor&) {
  TRY(makeMountsPrivate());
  const FileDescriptor root = TRY(createTmpfs(4096, 16));
  return enterAsRoot(root);
}

// In a user namespace that is somebody else's (a rootless container) root may own nothing but what was mapped for it.
Status giveAway(FileDescriptor&) {
  const JailPolicy policy;
  const Status given = changeOwner(TRY(createTmpfs(4096, 16)), policy.uid);
  if (given.has_value()) return {};
  return Error(Remedy::giveUp, "User " + std::to_string(policy.uid) +
                                   " of the VMs is not mapped into this user namespace (" + given.error().text() +
                                   "): map more users into the container (subuid), or leave it.");
}

}  // namespace

bool JailSupport::isComplete() const {
  return std::ranges::all_of(parts, [](const JailPart& part) { return part.works; });
}

JailSupport probeJail() {
  const Privilege privilege = ownPrivilege();
  JailSupport support{.privilege = privilege, .parts = {}};
  if (privilege == Privilege::none) {
    const JailMaker maker = jailMaker({});
    support.parts.push_back(tried("user namespace", {Namespace::user}, nothing));
    support.parts.push_back(tried("user map", {Namespace::user}, [&maker](FileDescriptor&) {
      return mapIdentity(JailPolicy{}.uid, JailPolicy{}.gid, maker.uid, maker.gid);
    }));
  }
  for (const Namespace kind :
       {Namespace::mount, Namespace::pid, Namespace::ipc, Namespace::uts, Namespace::cgroup, Namespace::network}) {
    support.parts.push_back(tried(std::string(nameOf(kind)) + " namespace", with(kind, privilege), nothing));
  }
  support.parts.push_back(tried("pivot_root into a tmpfs", with(Namespace::mount, privilege), swapRoot));
  if (privilege == Privilege::full)
    support.parts.push_back(tried("user of the VMs", with(Namespace::mount, privilege), giveAway));
  support.parts.push_back(tried("surrender of privileges", {}, [](FileDescriptor&) { return surrenderPrivileges(); }));
  return support;
}

}  // namespace qm
