// What of a jail this host allows, piece by piece, each tried for real: for `quickmatch doctor`.
#pragma once

#include <string>
#include <vector>

#include "vmm/os/privilege.h"

namespace qm {

struct JailPart {
  std::string name;  // "pid namespace"
  bool works = false;
  std::string remedy;  // what the kernel said and what the administrator can do; empty when it works
  bool operator==(const JailPart&) const = default;
};

struct JailSupport {
  // Without privileges all of it is tried inside a user namespace, as the spawner would.
  Privilege privilege = Privilege::none;
  std::vector<JailPart> parts;
  bool isComplete() const;
};

// The caller has one thread. Leaves nothing behind.
JailSupport probeJail();

}  // namespace qm
