// Which control group each jailed process is in. A process holds its group until its end was taken; then the next one
// has it.
#pragma once

#include <sys/types.h>

#include <map>
#include <optional>
#include <string>

#include "vmm/cgroup/cgroup_stock.h"
#include "vmm/result/result.h"

namespace qm::spawner {

class JailGroups {
 public:
  explicit JailGroups(CgroupStock stock) : stock_(std::move(stock)) {}

  const CgroupStock& stock() const { return stock_; }
  // none where the host has no controllers, or none are wanted.
  Result<std::optional<Cgroup>> take(const CgroupLimits& limits);
  void hold(pid_t process, std::optional<Cgroup> group);
  void giveBack(std::optional<Cgroup> group);
  // Answers what a process was killed for in the group.
  MemoryShortage release(pid_t process);
  // Of a process that is not released: what one was killed for in its group. fixInput: it was not started here.
  Result<MemoryShortage> memoryShortage(pid_t process) const;
  // Nothing where it has no group; fixInput as above.
  Status limit(pid_t process, const CgroupLimits& limits);

 private:
  CgroupStock stock_;
  std::map<pid_t, std::optional<Cgroup>> byProcess_;
};

}  // namespace qm::spawner
