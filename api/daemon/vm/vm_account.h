// Accounts of VMs: what each uses while it lives, and what it took in all when it is gone. Figures come from the VM's
// slot page, which may lie within what is possible, and from the kernel, which does not.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "api/daemon/vm/vm_ending.h"
#include "api/daemon/vm/vm_use.h"
#include "vmm/os/process.h"
#include "vmm/slot/slot_page.h"

namespace qm {

// How a VM that lives stands.
struct VmLine {
  std::string id;
  std::int64_t pid = 0;
  std::chrono::nanoseconds age{};
  std::optional<slot::View> view;               // none: its page is refused
  std::optional<std::chrono::nanoseconds> cpu;  // none: it is gone
};

// One VM's, or that of all that its process is by resets, one after the other. Threads: any.
class VmAccount {
 public:
  VmAccount(std::string id, pid_t pid, slot::SlotPage page);

  // At these three steps, in this order; those that were not taken are left out. Renewals after the first change
  // nothing.
  void renewed();
  void killing();
  // Before its end is taken from the kernel, after which its number may be another's. none: it never was renewed.
  std::optional<VmUse> gone();

  VmLine line();

 private:
  struct Sample {
    std::optional<std::chrono::nanoseconds> cpu;
    std::optional<slot::View> view;  // none: the page was refused
  };
  Sample sample();
  VmUse use(std::optional<std::chrono::nanoseconds> cpuAtEnd) const;

  const std::string id_;
  const Process process_;  // by its number only
  const std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
  std::mutex mutex_;  // protects what follows; nothing else is locked inside
  slot::SlotPage page_;
  std::optional<Sample> renewed_, killed_;
  std::optional<std::uint64_t> privateBytes_;
  bool isGone_ = false;
};

// All of those that live. Threads: any.
class VmAccounts {
 public:
  // Told of each VM that was renewed once and is gone; quick, from any thread, with no lock held.
  using Told = std::function<void(const VmUse&)>;
  // Told of each process that was reaped; as above.
  using EndTold = std::function<void(const VmEnding&)>;
  explicit VmAccounts(Told told, EndTold endTold = {}) : told_(std::move(told)), endTold_(std::move(endTold)) {}

  std::shared_ptr<VmAccount> open(const std::string& id, pid_t pid, slot::SlotPage page);
  // The VM is gone and was not reaped yet.
  void close(const std::string& id);
  // And it was reaped.
  void ended(const VmEnding& ending) const {
    if (endTold_) endTold_(ending);
  }

  std::size_t count() const;
  // By id, at most `most`.
  std::vector<VmLine> lines(std::size_t most) const;

 private:
  const Told told_;
  const EndTold endTold_;
  mutable std::mutex mutex_;  // protects what follows; held for no account
  std::map<std::string, std::shared_ptr<VmAccount>, std::less<>> living_;
};

}  // namespace qm
