// What a jail is to be: values, checked before anything is done.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <vector>

#include "vmm/cgroup/cgroup_limits.h"
#include "vmm/cgroup/cgroup_stock.h"
#include "vmm/os/landlock.h"
#include "vmm/os/limits.h"
#include "vmm/result/result.h"

namespace qm {

enum class Isolation : std::uint8_t {
  jailed,  // namespaces, a root of its own, another user; a host that refuses any of it refuses the start
  bare,    // nothing but a process without capabilities: for hosts that refuse namespaces, chosen in words only
};

// Whoever starts the spawner decides this, not whoever asks it to start something.
struct JailPolicy {
  Isolation isolation = Isolation::jailed;
  // Who jailed processes are: each another one of `uids` users from `uid` on, so that no two share one, and all of one
  // group. Without privileges it stays the spawner's own user outside and is `uid` inside.
  uid_t uid = 64000;
  std::uint32_t uids = 1500;
  gid_t gid = 64000;
  // A VM has some ten threads and forty descriptors. Files are disks and snapshots.
  ProcessLimits limits{.openFiles = 1024,
                       .fileBytes = std::uint64_t{64} << 30U,
                       .processes = 64,
                       .lockedBytes = std::uint64_t{64} << 10U,
                       .coreBytes = 0};
  // fileBytes of a jail without new files: what it was given open is a log.
  std::uint64_t givenFileBytes = std::uint64_t{64} << 20U;
  CgroupUse cgroups = CgroupUse::wherePossible;
  bool operator==(const JailPolicy&) const = default;
};

// A file, or a folder without the mounts below it. An `inside` that equals `host` reads alike jailed and bare.
struct ReadOnlyBind {
  std::filesystem::path host;
  std::filesystem::path inside;
  bool operator==(const ReadOnlyBind&) const = default;
};

enum class JailDevice : std::uint8_t { kvm, tun, userfaultfd };
// "/dev/kvm"; the same inside and outside.
std::filesystem::path pathOf(JailDevice device);

enum class JailNetwork : std::uint8_t {
  none,  // an empty namespace
  host,
};

// Where the VM's own folder is in a jail. It is the working directory in either isolation, so that relative names
// mean the same in both.
inline constexpr const char* kFolderInside = "/vm";

struct JailPlan {
  std::filesystem::path folder;  // the only one that can be written
  std::vector<ReadOnlyBind> readOnly;
  std::vector<JailDevice> devices;
  JailNetwork network = JailNetwork::none;
  // denied: none but those that it was given open; sockets are made as ever.
  NewFiles newFiles = NewFiles::allowed;
  CgroupLimits limits;  // as far as the host has control groups
  bool operator==(const JailPlan&) const = default;
};

// Paths are absolute and without "." and ".."; no place inside is named twice; at most kJailBinds of them.
inline constexpr std::size_t kJailBinds = 64;
Status check(const JailPlan& plan);

}  // namespace qm
