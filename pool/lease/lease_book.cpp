#include "pool/lease/lease_book.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

namespace qm::pool {
namespace {

constexpr std::size_t kEndedRemembered = 4096;

Error noSuchLease(std::string_view id) {
  return {Remedy::fixInput, fmt::format("there is no lease {}, or it has ended", id)};
}

}  // namespace

LeaseBook::Drawn LeaseBook::draw(std::string_view templateName, Road road, std::chrono::milliseconds ttl, Now now) {
  Opened opened{.view = {.id = freshLeaseId(),
                         .templateName = std::string(templateName),
                         .road = road,
                         .expiresAt = now.wall + ttl},
                .token = freshToken()};
  const TokenDigest digest(opened.token);
  return {.opened = std::move(opened), .digest = digest, .expiresAt = now.time + ttl};
}

void LeaseBook::open(const Drawn& drawn, Vm vm) {
  const LeaseView& view = drawn.opened.view;
  leases_.emplace(view.id,
                  Held{.view = view, .token = drawn.digest, .vm = std::move(vm), .expiresAt = drawn.expiresAt});
}

Access LeaseBook::access(std::string_view id, std::string_view token, TimePoint now) const {
  if (const auto lease = leases_.find(id); lease != leases_.end()) {
    if (!lease->second.token.matches(token)) return Access::wrongToken;
    return lease->second.expiresAt > now ? Access::granted : Access::ended;
  }
  const auto ended = ended_.find(id);
  if (ended == ended_.end()) return Access::noSuchLease;
  return ended->second.matches(token) ? Access::ended : Access::wrongToken;
}

std::optional<LeaseView> LeaseBook::view(std::string_view id, TimePoint now) const {
  const Held* held = find(id, now);
  return held == nullptr ? std::nullopt : std::optional(held->view);
}

std::vector<LeaseView> LeaseBook::views() const {
  std::vector<LeaseView> views;
  for (const auto& [id, held] : leases_) views.push_back(held.view);
  return views;
}

std::uint32_t LeaseBook::count(std::string_view templateName) const {
  return static_cast<std::uint32_t>(std::ranges::count_if(
      leases_, [&](const auto& lease) { return lease.second.view.templateName == templateName; }));
}

Result<Vm> LeaseBook::vm(std::string_view id, TimePoint now) const {
  const Held* held = find(id, now);
  if (held == nullptr) return noSuchLease(id);
  return held->vm;
}

Result<LeaseView> LeaseBook::renew(std::string_view id, std::chrono::milliseconds ttl, Now now) {
  const auto lease = leases_.find(id);
  if (lease == leases_.end() || lease->second.expiresAt <= now.time) return noSuchLease(id);
  lease->second.expiresAt = now.time + ttl;
  lease->second.view.expiresAt = now.wall + ttl;
  return lease->second.view;
}

Result<std::optional<LeaseBook::Closed>> LeaseBook::close(std::string_view id) {
  const auto lease = leases_.find(id);
  if (lease != leases_.end()) return std::optional(bury(lease));
  if (ended_.find(id) == ended_.end()) return noSuchLease(id);
  return std::optional<Closed>();
}

std::vector<LeaseBook::Closed> LeaseBook::takeExpired(TimePoint now) {
  std::vector<Closed> expired;
  for (auto lease = leases_.begin(); lease != leases_.end();) {
    const auto next = std::next(lease);
    if (lease->second.expiresAt <= now) expired.push_back(bury(lease));
    lease = next;
  }
  return expired;
}

std::vector<LeaseBook::Closed> LeaseBook::takeAll() {
  return takeExpired(TimePoint::max());
}

TimePoint LeaseBook::nextExpiry() const {
  TimePoint next = TimePoint::max();
  for (const auto& [id, held] : leases_) next = std::min(next, held.expiresAt);
  return next;
}

const LeaseBook::Held* LeaseBook::find(std::string_view id, TimePoint now) const {
  const auto lease = leases_.find(id);
  return lease == leases_.end() || lease->second.expiresAt <= now ? nullptr : &lease->second;
}

LeaseBook::Closed LeaseBook::bury(Leases::iterator lease) {
  Closed closed{.view = std::move(lease->second.view), .vm = std::move(lease->second.vm)};
  ended_.emplace(lease->first, lease->second.token);
  order_.push_back(lease->first);
  leases_.erase(lease);
  if (order_.size() > kEndedRemembered) {
    ended_.erase(order_.front());
    order_.pop_front();
  }
  return closed;
}

}  // namespace qm::pool
