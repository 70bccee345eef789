#include "vmm/jail/jail_stock.h"

#include <algorithm>
#include <array>
#include <utility>

#include "vmm/os/landlock.h"
#include "vmm/os/privilege.h"

namespace qm {

namespace {

// A daemon has one or two shapes of jail.
constexpr std::size_t kMoulds = 8;

}  // namespace

Result<JailStock> JailStock::create(const JailPolicy& policy, const JailMaker& maker) {
  JailStock stock(policy, maker);
  // Once, here: a jail's user is taken before its capabilities are given up, and then it is too late for this.
  TRY(emptyBoundingSet());
  if (policy.isolation == Isolation::bare) return stock;
  const int landlock = landlockVersion();
  if (landlock > 0) {
    stock.denials_ = TRY(jailDenials(NewFiles::allowed));
    stock.noFiles_ = TRY(jailDenials(NewFiles::denied));
  }
  if (maker.privilege == Privilege::none) return stock;
  std::vector<Namespace> own{Namespace::ipc, Namespace::uts};
  Result<FileDescriptor> network = openOwn(Namespace::network);
  if (landlock >= kLandlockScopes && network.has_value()) {
    stock.hostNetwork_ = std::move(network).value();
    own.push_back(Namespace::network);
  }
  TRY(moveToOwn(own).during("making the namespaces that jails share"));
  return stock;
}

std::vector<Namespace> JailStock::namespacesFor(const JailPlan& plan) const {
  if (policy_.isolation == Isolation::bare) return {};
  std::vector<Namespace> all;
  if (maker_.privilege == Privilege::none) {
    all = {Namespace::user, Namespace::mount, Namespace::pid, Namespace::ipc, Namespace::uts, Namespace::cgroup};
  } else {
    all = {Namespace::pid};
  }
  if (plan.network == JailNetwork::none && !hostNetwork_.isOpen()) all.push_back(Namespace::network);
  return all;
}

JailParts JailStock::partsFor(const JailPlan& plan) {
  const FileDescriptor& denials = plan.newFiles == NewFiles::denied ? noFiles_ : denials_;
  JailParts parts{.denials = denials.isOpen() ? &denials : nullptr,
                  .network = plan.network == JailNetwork::host && hostNetwork_.isOpen() ? &hostNetwork_ : nullptr};
  if (policy_.isolation == Isolation::bare || maker_.privilege == Privilege::none) return parts;
  const auto fitting = std::ranges::find_if(moulds_, [&plan](const JailMould& each) { return each.fits(plan); });
  if (fitting != moulds_.end()) {
    moulds_.splice(moulds_.begin(), moulds_, fitting);
  } else {
    Result<JailMould> cast = JailMould::cast(policy_, plan, maker_);
    if (!cast.has_value()) return parts;
    moulds_.push_front(std::move(cast).value());
    if (moulds_.size() > kMoulds) moulds_.pop_back();
  }
  parts.mould = &moulds_.front().mounts();
  return parts;
}

}  // namespace qm
