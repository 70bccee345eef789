// What became of one request. Times are from the run's start on the monotonic clock. A value.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pool/road/road.h"

namespace qm::bench {

enum class What : std::uint8_t {
  reply,  // GET …/ping: the guest's agent echoes a nonce
  exec,   // POST …/exec: /bin/echo in the guest says a word that is this request's alone
};

struct RequestRecord {
  std::chrono::nanoseconds scheduled{};  // when it should have left: where every latency's clock starts
  std::chrono::nanoseconds sent{};       // when the generator got to it
  // none: it did not come so far.
  std::optional<std::chrono::nanoseconds> granted;
  std::optional<std::chrono::nanoseconds> answered;  // from inside the guest, and checked
  std::optional<std::chrono::nanoseconds> released;
  std::optional<pool::Road> road;
  // As the daemon says them, in its order: microseconds.
  std::vector<std::pair<std::string, std::uint64_t>> phases;
  std::string guestNonce;  // of a reply: who answered
  std::string failure;     // empty: all three steps did what was asked

  bool succeeded() const { return failure.empty() && released.has_value(); }
};

}  // namespace qm::bench
