// A tenant's right to one VM, until it is released or its time is up.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "pool/clock/clock.h"
#include "pool/lease/token.h"
#include "pool/road/road.h"

namespace qm::pool {

// What anybody who may see the lease is shown.
struct LeaseView {
  LeaseId id;
  std::string templateName;
  Road road = Road::ready;
  WallTime expiresAt;
};

// How a lease stands to who asks for it. Ended leases are remembered for a while, so that a second release is told
// from a lease that never was.
enum class Access : std::uint8_t { granted, ended, wrongToken, noSuchLease };

enum class LeaseEnd : std::uint8_t { released, expired, shutdown };

constexpr std::string_view name(LeaseEnd end) {
  switch (end) {
    case LeaseEnd::released:
      return "released";
    case LeaseEnd::expired:
      return "expired";
    case LeaseEnd::shutdown:
      return "shutdown";
  }
  return "unknown";
}

}  // namespace qm::pool
