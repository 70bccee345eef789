// How VMM processes come to be: by way of the spawner, in a jail or, where that was chosen in words, without one.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "api/daemon/egress/egress_proxy.h"
#include "api/daemon/network/guest_link.h"
#include "api/daemon/network/network_slots.h"
#include "api/daemon/vm/vm_folder.h"
#include "vmm/hypervisor/choice/choice.h"
#include "vmm/log/log.h"
#include "vmm/os/process.h"
#include "vmm/result/result.h"
#include "vmm/seccomp/thread_filter.h"
#include "vmm/slot/slot_page.h"
#include "vmm/spawner/spawner_client.h"

namespace qm {

struct LauncherSettings {
  std::filesystem::path vmm;
  std::filesystem::path spawner;
  Isolation isolation = Isolation::jailed;
  seccomp::Level seccomp = seccomp::defaultLevel();
  CgroupUse cgroups = CgroupUse::wherePossible;
  Backend backend = Backend::kvm;  // of every VMM, so that none has to find out
  std::string hostCounter;         // its --host-counter; empty: each measures anew
  // What a jailed VMM sees of the host, at the same paths, read-only: kernels, images.
  std::vector<std::filesystem::path> folders;
  std::uint32_t networkSlots = 8;  // made ahead, once one was wanted
  Log log = Log::silent();         // of what goes on in guests' networks
};

// Threads: any.
class VmmLauncher {
 public:
  static Result<std::unique_ptr<VmmLauncher>> start(const LauncherSettings& settings);

  // Readable in poll once no VMM can be started any more: the spawner has ended.
  const FileDescriptor& lost() const { return spawner_.ended(); }

  struct Launched {
    Process process;
    FileDescriptor control;  // our end of its control channel
    slot::SlotPage slot;
    CgroupLimits limits;  // in force, as far as the host has control groups
  };
  // For every VM; they live as long as this.
  GuestNetworks networks() { return {.slots = slots_, .proxy = proxy_}; }
  EgressCounts egress() const { return proxy_.counts(); }
  std::uint32_t readySlots() const { return slots_.ready(); }

  // Starts a blank VMM with the folder as its working directory. With a guest it outlives us.
  Result<Launched> launch(const VmFolder& folder, std::string_view id, NewFiles newFiles) const;
  // By which control groups VMs are held, and what is missing.
  const spawner::Groups& groups() const { return groups_; }
  // Limits a VM anew. retry: more is in use than that.
  Status limit(const Process& process, const CgroupLimits& limits) const;
  // What VMs that are launched from here on will most likely be limited to: those that are need not be told again.
  void expect(const CgroupLimits& limits);
  // Once it was killed: waits for its end, and then takes it from the kernel, which forgets what it knew of it.
  void awaitEnd(const Process& process) const;
  std::optional<spawner::Ended> reap(const Process& process) const;  // none: nobody can tell how it ended
  // Of one that has ended and was not reaped; a round trip to the spawner.
  MemoryShortage memoryShortage(const Process& process) const;

 private:
  VmmLauncher(SpawnerClient spawner, LauncherSettings settings, spawner::Groups groups);
  CgroupLimits expected() const;
  JailPlan jailFor(const VmFolder& folder) const;

  SpawnerClient spawner_;
  LauncherSettings settings_;
  NetworkSlots slots_;
  EgressProxy proxy_;
  spawner::Groups groups_;
  mutable std::mutex expectedMutex_;  // protects expected_
  CgroupLimits expected_;
};

}  // namespace qm
