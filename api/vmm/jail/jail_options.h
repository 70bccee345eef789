// The command line of `quickmatch-vmm jail`: Firecracker's jailer's, word for word.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "vmm/os/limits.h"
#include "vmm/result/result.h"

namespace qm::vmm {

enum class CgroupVersion : std::uint8_t { v1, v2 };

// A file of a control group and what is written to it: "memory.max" and "1G".
struct CgroupSetting {
  std::string file;
  std::string value;
  bool operator==(const CgroupSetting&) const = default;
};

struct JailOptions {
  std::string id;                  // up to 64 letters, digits and '-'
  std::filesystem::path execFile;  // absolute
  uid_t uid = 0;
  gid_t gid = 0;
  std::filesystem::path chrootBase = "/srv/jailer";
  std::vector<CgroupSetting> cgroups;
  CgroupVersion cgroupVersion = CgroupVersion::v1;
  std::string parentCgroup;  // empty: the program's name
  ProcessLimits limits{.openFiles = 2048};
  std::filesystem::path netns;  // empty: the caller's
  bool newPidNamespace = false;
  bool daemonize = false;
  std::vector<std::string> arguments;  // the program's, after "--"

  // Where the program's root is.
  std::filesystem::path root() const { return chrootBase / execFile.filename() / id / "root"; }
};

// Without the program's name and "jail". Errors: fixInput.
Result<JailOptions> parseJailOptions(std::span<const char* const> words);
std::string jailHelp();

}  // namespace qm::vmm
