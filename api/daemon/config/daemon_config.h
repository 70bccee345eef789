// All that the daemon is told.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

#include "api/daemon/config/default_paths.h"
#include "pool/pool.h"
#include "pool/template/recipe.h"
#include "vmm/cgroup/cgroup_stock.h"
#include "vmm/hypervisor/choice/choice.h"
#include "vmm/result/result.h"
#include "vmm/seccomp/thread_filter.h"

namespace qm {

enum class JailChoice : std::uint8_t {
  namespaces,
  none,  // a plain process: for hosts that refuse namespaces
};

Result<JailChoice> jailNamed(std::string_view name);    // "namespaces", "none"
Result<CgroupUse> cgroupsNamed(std::string_view name);  // "required", "where-possible", "off"

struct DaemonConfig {
  std::filesystem::path state;  // absolute
  std::filesystem::path socket;
  std::string listen = "127.0.0.1:8180";  // empty: not on TCP
  HypervisorChoice hypervisor = HypervisorChoice::automatic;
  JailChoice jail = JailChoice::namespaces;
  seccomp::Level seccomp = seccomp::defaultLevel();  // of every VMM
  CgroupUse cgroups = CgroupUse::wherePossible;      // likewise
  // Programs; beside the daemon's own when not named.
  std::filesystem::path vmm;
  std::filesystem::path spawner;
  // Folders of kernels and images: a jailed VM sees these, and so templates may name files in them only.
  std::vector<std::filesystem::path> folders;
  std::uint32_t requestThreads = 64;
  std::uint32_t networkSlots = 8;  // kept made once a template wanted one
  pool::PoolSettings pool;
  std::vector<pool::Recipe> templates;
};

// One that is there already stays where it is: a jail has one thing in each place.
void addFolder(DaemonConfig& config, const std::filesystem::path& folder);

// Names that a file or an option leaves out.
DaemonConfig defaultConfig(const Environment& environment, const std::filesystem::path& programs);

// The file's text over `base`. Relative paths are not taken: where the daemon was started from says nothing.
Result<DaemonConfig> configFromJson(std::string_view text, DaemonConfig base);

// Whether all of it makes sense together; opens nothing.
Status check(const DaemonConfig& config);

}  // namespace qm
