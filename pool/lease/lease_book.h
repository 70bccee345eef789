// Who holds which VM, and until when.
//
// Threads: none of its own; the pool's mutex guards it. VMs that it gives back are the caller's to end, after the mutex
// is released.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pool/clock/clock.h"
#include "pool/lease/lease.h"
#include "pool/lease/token.h"
#include "pool/vm/living_vms.h"
#include "vmm/result/result.h"

namespace qm::pool {

// One moment by both clocks.
struct Now {
  TimePoint time;
  WallTime wall;
};

class LeaseBook {
 public:
  struct Opened {
    LeaseView view;
    Token token;
  };
  // A lease that nobody has yet.
  struct Drawn {
    Opened opened;
    TokenDigest digest;
    TimePoint expiresAt;
  };
  struct Closed {
    LeaseView view;
    Vm vm;
  };

  // Its random words cost system calls: apart from open(), so that they need no mutex.
  static Drawn draw(std::string_view templateName, Road road, std::chrono::milliseconds ttl, Now now);
  void open(const Drawn& drawn, Vm vm);
  // As of `now`: a lease whose time is up counts as ended, also before takeExpired.
  Access access(std::string_view id, std::string_view token, TimePoint now) const;
  std::optional<LeaseView> view(std::string_view id, TimePoint now) const;
  std::vector<LeaseView> views() const;
  std::uint32_t count(std::string_view templateName) const;
  // fixInput: no such lease, or it has ended.
  Result<Vm> vm(std::string_view id, TimePoint now) const;
  Result<LeaseView> renew(std::string_view id, std::chrono::milliseconds ttl, Now now);

  // fixInput: there never was such a lease; nothing: it has ended before.
  Result<std::optional<Closed>> close(std::string_view id);
  std::vector<Closed> takeExpired(TimePoint now);
  std::vector<Closed> takeAll();
  TimePoint nextExpiry() const;  // max(): none

 private:
  struct Held {
    LeaseView view;
    TokenDigest token;
    Vm vm;
    TimePoint expiresAt;
  };
  using Leases = std::map<LeaseId, Held, std::less<>>;
  const Held* find(std::string_view id, TimePoint now) const;
  Closed bury(Leases::iterator lease);

  Leases leases_;
  // The last that ended, with their tokens, oldest first in order_.
  std::map<LeaseId, TokenDigest, std::less<>> ended_;
  std::deque<LeaseId> order_;
};

}  // namespace qm::pool
