// What a spawner keeps between jails, so that each costs less.
//
// With all privileges the spawner itself moves into a network namespace without any interface that is up, and into ipc
// and uts namespaces of its own; jails stay in these with it, and no namespace of these kinds is made and taken
// down for each. What two processes could do to each other in them is closed otherwise: abstract Unix sockets by
// Landlock's scopes, System V objects and message queues by the jail's filter of system calls, names by having no
// capability. Where the kernel has no such scopes each jail has a network namespace of its own.
#pragma once

#include <list>
#include <vector>

#include "vmm/jail/jail.h"
#include "vmm/jail/jail_mould.h"
#include "vmm/jail/jail_plan.h"
#include "vmm/os/file_descriptor.h"
#include "vmm/os/namespaces.h"
#include "vmm/result/result.h"

namespace qm {

class JailStock {
 public:
  // Moves the calling process, which has one thread, where its jails will be.
  static Result<JailStock> create(const JailPolicy& policy, const JailMaker& maker);

  // For cloneProcess; none when bare.
  std::vector<Namespace> namespacesFor(const JailPlan& plan) const;
  // What enterJail takes. Makes a mould when there is none that fits, and keeps it; where that fails the jail's root is
  // made in the jail, which says what is wrong.
  JailParts partsFor(const JailPlan& plan);

 private:
  JailStock(const JailPolicy& policy, const JailMaker& maker) : policy_(policy), maker_(maker) {}

  JailPolicy policy_;
  JailMaker maker_;
  FileDescriptor denials_;       // Landlock's; not open: this kernel has none
  FileDescriptor noFiles_;       // the same, and of new files
  FileDescriptor hostNetwork_;   // not open: each jail makes a network namespace
  std::list<JailMould> moulds_;  // the one that was used last is first
};

}  // namespace qm
