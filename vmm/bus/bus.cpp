#include "vmm/bus/bus.h"

#include <algorithm>

#include <fmt/format.h>

#include "vmm/result/check.h"

namespace qm {

Status Bus::attach(std::uint64_t start, std::uint64_t bytes, BusTarget& target, std::string name) {
  CHECK(!frozen_);
  if (bytes == 0 || start + bytes - 1 < start) {
    return Error(Remedy::fixInput, fmt::format("{} claims an impossible range: {:#x} + {:#x}", name, start, bytes));
  }
  const auto after = std::ranges::upper_bound(claims_, start, {}, &Claim::start);
  const bool overlapsNext = after != claims_.end() && after->start - start < bytes;
  const bool overlapsBefore = after != claims_.begin() && start - std::prev(after)->start < std::prev(after)->bytes;
  if (overlapsNext || overlapsBefore) {
    const Claim& other = overlapsNext ? *after : *std::prev(after);
    return Error(Remedy::fixInput, fmt::format("{} at {:#x} overlaps {}", name, start, other.name));
  }
  claims_.insert(after, {start, bytes, &target, std::move(name)});
  return {};
}

void Bus::freeze() {
  frozen_ = true;
}

const Bus::Claim* Bus::find(std::uint64_t address, std::uint8_t bytes) const {
  CHECK(frozen_);
  const auto after = std::ranges::upper_bound(claims_, address, {}, &Claim::start);
  if (after == claims_.begin()) return nullptr;
  const Claim& claim = *std::prev(after);
  const std::uint64_t offset = address - claim.start;
  return offset < claim.bytes && bytes <= claim.bytes - offset ? &claim : nullptr;
}

bool Bus::read(std::uint64_t address, std::uint8_t bytes, std::uint64_t& value) const {
  const Claim* claim = find(address, bytes);
  value = claim != nullptr ? claim->target->read(address - claim->start, bytes) : ~std::uint64_t{0};
  return claim != nullptr;
}

bool Bus::write(std::uint64_t address, std::uint8_t bytes, std::uint64_t value) const {
  const Claim* claim = find(address, bytes);
  if (claim != nullptr) claim->target->write(address - claim->start, bytes, value);
  return claim != nullptr;
}

}  // namespace qm
