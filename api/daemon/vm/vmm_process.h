// A VMM's process in its folder, and its control channel. It may be several VMs, one after the other, each with a guest
// of its own (Microvm).
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <string_view>

#include "api/daemon/vm/vm_account.h"
#include "api/daemon/vm/vm_folder.h"
#include "api/daemon/vm/vmm_control.h"
#include "api/daemon/vm/vmm_launcher.h"

namespace qm {

// Threads: ask(), limitTo() and proceed() one at a time, everything else any.
class VmmProcess {
 public:
  // Launcher and accounts outlive it; `id` is its first VM's, by which its account is known.
  VmmProcess(std::string id, VmFolder folder, VmmLauncher::Launched launched, VmmLauncher& launcher,
             VmAccounts& accounts);
  ~VmmProcess();
  VmmProcess(const VmmProcess&) = delete;
  VmmProcess& operator=(const VmmProcess&) = delete;

  const VmFolder& folder() const { return folder_; }
  const Process& process() const { return process_; }
  VmAccount& account() const { return *account_; }
  bool hasEnded() const;

  // As VmmControl::ask. A process that was halted goes on once it was asked.
  Status ask(const VmmRequest& request, pool::Deadline deadline, std::span<const int> files = {});
  Status ask(VmmControl::Body body, std::span<const int> files, std::string_view what, pool::Deadline deadline);
  // Its control group, before it is asked to be what needs other limits: a VM of this template, or, where it is empty,
  // of none. After a reset both are what they were, so that who is late for the guest before may ask why it ended.
  Status limitTo(const CgroupLimits& limits, std::string_view templateName = {});
  // Of processes that are launched from here on, which then need not be told.
  void expectAlike(const CgroupLimits& limits) { launcher_.expect(limits); }
  // Adds why the process ended, when it did by itself: want of memory, or else what its console said last. Waits a
  // moment where the error may be of an end that is not complete.
  Error explained(Error error) const;

  // All its threads stand still, until it is asked something: the guest runs no more, and nothing it wrote goes away.
  void halt();
  void kill();
  // Kills, waits for the end and removes the folder. Idempotent.
  void end();

 private:
  Status told(Status done) const;
  VmEnding endingOf(const spawner::Ended& ended) const;
  void proceed();

  const std::string id_;
  const VmFolder folder_;
  const Process process_;
  VmmLauncher& launcher_;
  VmAccounts& accounts_;
  const std::shared_ptr<VmAccount> account_;
  VmmControl control_;
  CgroupLimits limits_;
  std::string templateName_;
  std::atomic<bool> isKilled_ = false;  // by us
  std::atomic<bool> isHalted_ = false;
  std::once_flag ended_;
};

}  // namespace qm
