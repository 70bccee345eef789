#include "vmm/spawner/jail_groups.h"

#include <utility>

namespace qm::spawner {

Result<std::optional<Cgroup>> JailGroups::take(const CgroupLimits& limits) {
  if (stock_.isEmpty()) return std::optional<Cgroup>();
  return std::optional<Cgroup>(TRY(stock_.take(limits).during("making the VM's control group")));
}

void JailGroups::hold(pid_t process, std::optional<Cgroup> group) {
  byProcess_.insert_or_assign(process, std::move(group));
}

void JailGroups::giveBack(std::optional<Cgroup> group) {
  if (group) stock_.giveBack(*std::move(group));
}

void JailGroups::release(pid_t process) {
  const auto found = byProcess_.find(process);
  if (found == byProcess_.end()) return;
  giveBack(std::exchange(found->second, std::nullopt));
  byProcess_.erase(found);
}

Status JailGroups::limit(pid_t process, const CgroupLimits& limits) {
  const auto found = byProcess_.find(process);
  if (found == byProcess_.end()) {
    return Error(Remedy::fixInput, "process " + std::to_string(process) + " was not started here");
  }
  if (!found->second) return {};
  return found->second->limit(limits).during("limiting the VM's control group");
}

}  // namespace qm::spawner
