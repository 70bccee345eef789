#include "vmm/cgroup/cgroup_stock.h"

#include <utility>

namespace qm {

namespace {

// More than a burst leaves behind is removed.
constexpr std::size_t kMostFree = 64;
// The kernel hands charges out by batches of 64 pages to each processor, so a group that is empty seems to hold some.
constexpr std::uint64_t kMostLeft = std::uint64_t{8} << 20U;

std::string joined(const CgroupGround& ground) {
  std::string text;
  for (const CgroupGround::Lack& lack : ground.lacks()) text += (text.empty() ? "" : " ") + lack.sentence;
  return text;
}

}  // namespace

Result<CgroupStock> CgroupStock::create(CgroupUse use) {
  if (use == CgroupUse::off) return CgroupStock(CgroupGround());
  CgroupGround ground = CgroupGround::find();
  if (use == CgroupUse::required && !ground.lacks().empty()) {
    return Error(Remedy::fixInput, "control groups are required and cannot be had: " + joined(ground));
  }
  return CgroupStock(std::move(ground));
}

std::string CgroupStock::controllers() const {
  std::string text;
  for (const Controller controller : ground_.controllers())
    text += (text.empty() ? "" : " ") + std::string(nameOf(controller));
  return text;
}

std::string CgroupStock::lacks() const {
  return joined(ground_);
}

Result<Cgroup> CgroupStock::take(const CgroupLimits& limits) {
  while (!free_.empty()) {
    Cgroup group = std::move(free_.back());
    free_.pop_back();
    if (group.limit(limits).has_value()) return group;
  }
  Cgroup group = TRY(Cgroup::make(ground_, made_++));
  TRY(group.limit(limits));
  return group;
}

// A group in which something was killed is not used again: what is told of the next one's end is then its own.
MemoryShortage CgroupStock::giveBack(Cgroup group) {
  const Result<MemoryShortage> shortage = group.memoryShortage();
  if (!shortage.has_value() || *shortage != MemoryShortage::none) return shortage.value_or(MemoryShortage::none);
  if (free_.size() < kMostFree && group.chargedBytes().value_or(kMostLeft) < kMostLeft) {
    free_.push_back(std::move(group));
  }
  return MemoryShortage::none;
}

}  // namespace qm
