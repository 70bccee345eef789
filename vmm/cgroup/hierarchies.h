// The control group hierarchies that are mounted here, and this process's place in each (cgroups(7), proc(5)).
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "vmm/cgroup/controllers.h"

namespace qm {

struct Hierarchy {
  CgroupVersion version = CgroupVersion::v1;
  std::vector<std::string> controllers;  // of version 1; version 2 says it in the group's cgroup.controllers
  std::filesystem::path top;             // where it is mounted
  std::filesystem::path own;             // the folder of this process's group, `top` or below it
  bool operator==(const Hierarchy&) const = default;
};

// From the texts of /proc/self/mountinfo and /proc/self/cgroup. A hierarchy whose mount does not show our own group (a
// container that has another's) is left out.
std::vector<Hierarchy> hierarchiesFrom(std::string_view mountinfo, std::string_view ownGroups);

}  // namespace qm
