// What a service leaves in the system while it has VMs, counted so that one can see that nothing stays.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "vmm/result/result.h"

namespace qm::bench {

struct Traces {
  std::uint64_t processes = 0;  // that descend from the daemon, the spawner among them
  std::uint64_t folders = 0;    // in the state folder's vms/
  std::uint64_t cgroups = 0;    // anywhere below /sys/fs/cgroup
  std::uint64_t mounts = 0;     // in this mount namespace
  bool operator==(const Traces&) const = default;
  std::string text() const;
};

Traces countTraces(pid_t daemon, const std::filesystem::path& stateFolder);

// The sum of their proportional set sizes (proc(5), smaps_rollup), and how many were asked; those that ended meanwhile
// are none.
struct Proportional {
  std::uint64_t kib = 0;
  std::uint64_t processes = 0;
};
Proportional proportionalSetOf(const std::vector<pid_t>& pids);
// The kernel's estimate of what can still be had (proc(5), /proc/meminfo).
Result<std::uint64_t> availableKib();
// The number after `key` in such a file's text ("Pss:   12 kB"); 0 without one.
std::uint64_t numberAfter(std::string_view text, std::string_view key);

}  // namespace qm::bench
