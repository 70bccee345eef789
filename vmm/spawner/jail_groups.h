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
  void release(pid_t process);
  // Nothing where it has no group; fixInput: it was not started here.
  Status limit(pid_t process, const CgroupLimits& limits);

 private:
  CgroupStock stock_;
  std::map<pid_t, std::optional<Cgroup>> byProcess_;
};

}  // namespace qm::spawner
