// A jail's root made ahead: all but the VM's folder, in a mount namespace that nobody lives in. Jails take copies of
// it, which costs a few mounts where making a root costs dozens of calls and letting go of the host's mounts.
#pragma once

#include <sys/types.h>

#include <vector>

#include "vmm/jail/jail.h"
#include "vmm/jail/jail_plan.h"
#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm {

class JailMould {
 public:
  // For plans with these read-only paths and devices. The caller has one thread and all privileges.
  static Result<JailMould> cast(const JailPolicy& policy, const JailPlan& plan, const JailMaker& maker);

  // Whether a jail by this plan has this root: the same names, which still mean the same files.
  bool fits(const JailPlan& plan) const;
  const FileDescriptor& mounts() const { return mounts_; }

 private:
  struct Identity {
    dev_t device = 0;
    ino_t number = 0;
    bool operator==(const Identity&) const = default;
  };
  JailMould(FileDescriptor mounts, JailPlan plan, std::vector<Identity> identities)
      : mounts_(std::move(mounts)), plan_(std::move(plan)), identities_(std::move(identities)) {}
  static std::vector<Identity> identitiesOf(const JailPlan& plan);

  FileDescriptor mounts_;  // the namespace
  JailPlan plan_;          // its folder, network and newFiles are not looked at
  std::vector<Identity> identities_;
};

}  // namespace qm
