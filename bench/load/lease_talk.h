// What a request says to the daemon (docs/api.md) and what it must hear: the texts of the three steps, and their
// answers read strictly.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/load/request_record.h"
#include "pool/road/road.h"
#include "vmm/result/result.h"

namespace qm::bench {

struct LeaseWish {
  std::string templateName = "hello";
  std::optional<pool::Road> road;  // none: whichever is open
  std::uint64_t waitMs = 0;        // for a ready clone (or a blank, by that road)
  std::uint64_t ttlS = 30;         // what the generator loses sight of ends by itself
  What what = What::reply;
};

struct GrantedLease {
  std::string id, token;
  pool::Road road = pool::Road::ready;
  std::vector<std::pair<std::string, std::uint64_t>> phases;
};

// What POST /v1/leases takes.
std::string acquireBody(const LeaseWish& wish);
// HTTP messages, whole.
std::string acquireMessage(const LeaseWish& wish);
// `word`: what exec's /bin/echo is to say.
std::string askMessage(What what, const GrantedLease& lease, std::string_view word);
std::string releaseMessage(const GrantedLease& lease);

// Of a body; errors are giveUp: the daemon did not say what it promises.
Result<GrantedLease> readGrant(std::string_view body);
// The nonce of the guest's agent.
Result<std::string> readPing(std::string_view body);
// An error unless the command said `word`, no more and no less, and ended well.
Status readExec(std::string_view body, std::string_view word);
// What a problem document (RFC 9457) says, for people: its code and cause; the status alone where it is none.
std::string problemOf(std::uint16_t status, std::string_view body);

}  // namespace qm::bench
