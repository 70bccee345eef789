#include "vmm/spawner/jail_groups.h"

#include <utility>

namespace qm::spawner {

namespace {

Error notStartedHere(pid_t process) {
  return {Remedy::fixInput, "process " + std::to_string(process) + " was not started here"};
}

}  // namespace

Result<std::optional<Cgroup>> JailGroups::take(const CgroupLimits& limits) {
  if (stock_.isEmpty()) return std::optional<Cgroup>();
  return std::optional<Cgroup>(TRY(stock_.take(limits).during("making the VM's control group")));
}

void JailGroups::hold(pid_t process, std::optional<Cgroup> group) {
  byProcess_.insert_or_assign(process, std::move(group));
}

void JailGroups::giveBack(std::optional<Cgroup> group) {
  if (group) (void)stock_.giveBack(*std::move(group));
}

MemoryShortage JailGroups::release(pid_t process) {
  const auto found = byProcess_.find(process);
  if (found == byProcess_.end()) return MemoryShortage::none;
  std::optional<Cgroup> group = std::move(found->second);
  byProcess_.erase(found);
  return group ? stock_.giveBack(*std::move(group)) : MemoryShortage::none;
}

Result<MemoryShortage> JailGroups::memoryShortage(pid_t process) const {
  const auto found = byProcess_.find(process);
  if (found == byProcess_.end()) return notStartedHere(process);
  if (!found->second) return MemoryShortage::none;
  return found->second->memoryShortage();
}

Status JailGroups::limit(pid_t process, const CgroupLimits& limits) {
  const auto found = byProcess_.find(process);
  if (found == byProcess_.end()) return notStartedHere(process);
  if (!found->second) return {};
  return found->second->limit(limits).during("limiting the VM's control group");
}

}  // namespace qm::spawner
