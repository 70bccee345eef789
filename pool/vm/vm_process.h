// One microVM in its own process, as the pool needs it; how it is started and spoken to is the implementation's
// (api/daemon/vm), and tests have a fake (pool/vm/fake_vm.h).
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "pool/network/guest_network.h"
#include "pool/vm/awaited.h"
#include "pool/vm/clone_files.h"
#include "vmm/guest/protocol/agent_values.h"
#include "vmm/result/result.h"

namespace qm::pool {

// After it a call gives up with Remedy::retry. Real time, also in tests: it guards against a peer that hangs.
using Deadline = std::chrono::steady_clock::time_point;

// A disk image that all VMs of a template share, read-only; the guest lays its own writable layer over it.
struct DrivePlan {
  std::string id;  // letters, digits and underscores
  std::filesystem::path image;
  bool operator==(const DrivePlan&) const = default;
};

// What of the host a template's VMs may use, each one; held by control groups, where the host has them.
struct ResourceLimits {
  std::uint32_t vmmMemoryMib = 64;  // memory of the VM's process beyond the guest's own
  std::uint32_t cpuPercent = 0;     // of one processor; 0: as much as is there
  bool operator==(const ResourceLimits&) const = default;
};

struct BootPlan {
  std::string templateName;  // whose VM it is to be, for people
  std::filesystem::path kernel;
  std::filesystem::path initrd;   // empty: none
  std::vector<DrivePlan> drives;  // the first is /dev/vda
  std::string bootArguments;
  std::uint8_t vcpus = 1;
  std::uint64_t memoryBytes = 0;
  std::string cpuTemplate;
  ResourceLimits limits;
  GuestNetwork network;
  bool operator==(const BootPlan&) const = default;
};

enum class Observing : std::uint8_t { no, yes };

struct RestorePlan {
  std::filesystem::path snapshot;           // its folder: whose memory it is, for people and for tests
  std::shared_ptr<const CloneFiles> files;  // null: of a fake
  Observing observing = Observing::no;      // yes: observe() may be asked afterwards
  std::uint64_t memoryBytes = 0;            // the guest's
  std::string templateName;                 // whose clone it is to be, for people
  ResourceLimits limits;
  GuestNetwork network;  // of the kind that the snapshot's machine has
  bool operator==(const RestorePlan&) const = default;
};

struct MemoryUse {
  std::uint64_t privateBytes = 0;
  std::uint64_t sharedBytes = 0;
  bool operator==(const MemoryUse&) const = default;
};

// A TCP connection to a guest, a stream socket that does not block. It ends with the VM, whoever holds it.
using GuestConnection = std::shared_ptr<const FileDescriptor>;
inline constexpr std::size_t kMostConnections = 64;  // of one VM at once

// A resource: it begins as a blank (a process without a guest) and takes one guest in its life, by boot() or restore().
// A process whose guest is done with may go on as another VmProcess, by reclaim(). Threads: boot, restore,
// pauseAndSave, observe, prepareCode, reclaim and connectAgent are called by one thread at a time; ping, run,
// beginConnect, explained, memoryUse, isAlive, kill and end by any, also at once: several runs may be under way while
// another thread pings or ends the VM. Errors: fixInput means that what was passed does not fit (a snapshot that is
// refused, a kernel that is none).
class VmProcess {
 public:
  // Ends the process, if end() did not.
  virtual ~VmProcess() = default;

  virtual const std::string& id() const = 0;
  virtual std::int64_t pid() const = 0;
  // RestorePlan::snapshot of what it was restored from; empty: it was not.
  virtual const std::filesystem::path& snapshot() const = 0;

  virtual Status boot(const BootPlan& plan, Deadline deadline) = 0;
  // Answers when the guest runs again.
  virtual Status restore(const RestorePlan& plan, Deadline deadline) = 0;
  // Leaves the guest paused; both files are complete when it answers.
  virtual Status pauseAndSave(const std::filesystem::path& state, const std::filesystem::path& memory,
                              Deadline deadline) = 0;
  // Stops the guest for good and answers what it touched since it was restored to be observed.
  virtual Result<Observed> observe(Deadline deadline) = 0;
  // Of a blank, which is fit for nothing else afterwards: code that was decoded for clones of these files, sealed.
  virtual Result<FileDescriptor> prepareCode(const CloneFiles& files, const std::vector<std::vector<std::byte>>& hints,
                                             Deadline deadline) = 0;
  virtual Result<MemoryUse> memoryUse() = 0;
  // Whether the process still runs, as this VM: a look, no round trip.
  virtual bool isAlive() = 0;

  // Tries until the guest's agent accepts. Needed once after boot() or restore(), before the calls below.
  virtual Status connectAgent(Deadline deadline) = 0;
  // The answer's own nonce equals `nonce`, else it is an error; guestNonce is the caller's to judge.
  virtual Result<agent::Pong> ping(std::uint64_t nonce, Deadline deadline) = 0;
  // An error unless every hook exited 0.
  virtual Result<agent::Renewed> renew(const agent::Renew& renew, Deadline deadline) = 0;
  virtual Result<agent::Ran> run(const agent::Run& run, Deadline deadline) = 0;
  // As ping and run, whose outcome is told later; it is given up before the VM goes. Null: not without waiting, so
  // that one of those is to be called.
  virtual Result<std::unique_ptr<Awaited<agent::Pong>>> beginPing(std::uint64_t nonce, Deadline deadline) = 0;
  virtual Result<std::unique_ptr<Awaited<agent::Ran>>> beginRun(const agent::Run& run, Deadline deadline) = 0;

  // The error of a call that was begun: with why the process ended, where it did by itself. Calls that wait for their
  // answer tell it by themselves. May wait a moment.
  virtual Error explained(Error error) = 0;

  // To a port of the guest, in its network slot; only that it is begun may wait. Given up before the VM goes. fixInput:
  // it has no network; retry: the guest refuses, or there are as many as there may be.
  virtual Result<std::unique_ptr<Awaited<GuestConnection>>> beginConnect(std::uint16_t port, Deadline deadline) = 0;

  // Of a VM that was restored: its process becomes a VM that waits for a guest again, under another name, and this one
  // is as one that has ended: calls under way fail, at the latest when the other is restored, and none reaches the
  // other's guest. When it answers the old guest stands still; what it left goes when the new one is restored. The new
  // one's restore() is of the same snapshot, or fails.
  virtual Result<std::unique_ptr<VmProcess>> reclaim(std::string_view id) = 0;
  // Kills the process and does not wait for its end: once it answers, nobody reaches the guest any more, and the guest
  // nobody. end() is still to follow. Idempotent.
  virtual void kill() = 0;
  // Kills the process, waits for it and removes what it left. Idempotent. Calls under way on other threads fail soon.
  virtual void end() = 0;
};

enum class VmPurpose : std::uint8_t {
  tenants,   // restored or booted for whoever leases it
  snapshot,  // booted for a template's snapshot, which it writes itself
};

// Threads: any.
class VmSpawner {
 public:
  virtual ~VmSpawner() = default;
  // Starts a blank whose name is `id`: letters, digits and dashes, never used before. Only one that is to be saved has
  // the right to write files.
  virtual Result<std::unique_ptr<VmProcess>> spawn(std::string_view id, VmPurpose purpose) = 0;
};

}  // namespace qm::pool
