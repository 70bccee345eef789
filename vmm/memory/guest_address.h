// A guest-physical address: its own type, so that one is never taken for a host pointer or a length.
#pragma once

#include <compare>
#include <cstdint>

namespace qm {

struct GuestAddress {
  std::uint64_t value = 0;

  auto operator<=>(const GuestAddress&) const = default;
};

// Wraps at 2^64, as the bus does; GuestMemory refuses what wrapped.
constexpr GuestAddress operator+(GuestAddress address, std::uint64_t bytes) {
  return {address.value + bytes};
}
// From `from` up to `to`, which is not below it.
constexpr std::uint64_t operator-(GuestAddress to, GuestAddress from) {
  return to.value - from.value;
}

}  // namespace qm
