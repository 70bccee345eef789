// The kernel's controllers that a VM is held by, and how each is told its limit in either version (Linux
// Documentation/admin-guide/cgroup-v1 and cgroup-v2.rst).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "vmm/cgroup/cgroup_limits.h"

namespace qm {

enum class CgroupVersion : std::uint8_t { v1, v2 };
enum class Controller : std::uint8_t { memory, pids, cpu };

inline constexpr std::array kControllers{Controller::memory, Controller::pids, Controller::cpu};
// As the kernel calls it.
const char* nameOf(Controller controller);

// A file of a group and what is written there.
struct CgroupSetting {
  std::string_view file;
  std::string value;
  bool operator==(const CgroupSetting&) const = default;
};
// What tells `controller` these limits; one that is none is told too.
CgroupSetting settingOf(Controller controller, CgroupVersion version, const CgroupLimits& limits);
// The file with the bytes that a group is charged for.
const char* chargedFile(CgroupVersion version);

}  // namespace qm
