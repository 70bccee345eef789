// What a host says to the agent inside a VM, and hears from it, as plain values. Ranges and meanings: agent.capnp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "vmm/result/error.h"

namespace qm::agent {

// The vsock port on which the agent listens.
inline constexpr std::uint32_t kAgentPort = 5200;

struct Ping {
  std::uint64_t nonce = 0;
  bool operator==(const Ping&) const = default;
};

struct Pong {
  std::uint64_t nonce = 0;       // the host's own, echoed
  std::uint64_t guestNonce = 0;  // made once when the agent started; lives in guest memory only
  std::uint64_t handledUs = 0;
  bool operator==(const Pong&) const = default;
};

struct Renew {
  std::vector<std::byte> entropy;  // at least 32 bytes
  std::int64_t wallClockNs = 0;    // since 1970-01-01T00:00:00Z
  std::string hostname;
  std::string machineId;  // 32 lower-case hexadecimal digits, as machine-id(5)
  std::optional<std::string> mac;
  std::optional<std::string> ip;  // with its prefix: "10.0.0.2/24"
  std::optional<std::string> gateway;
  std::string cloneId;
  std::vector<std::vector<std::string>> hooks;  // run after the renewal, in order; each must exit 0
  std::uint64_t nonce = 0;                      // not 0: echoed by Renewed
  bool operator==(const Renew&) const = default;
};

struct HookResult {
  std::int32_t exitCode = 0;
  std::int32_t signal = 0;
  bool operator==(const HookResult&) const = default;
};

struct Renewed {
  std::uint64_t guestNonce = 0;
  std::vector<HookResult> hooks;
  std::uint64_t nonce = 0;  // the Renew's, which makes it as good an answer as a Pong; 0 from an older agent
  bool operator==(const Renewed&) const = default;
};

struct Run {
  std::vector<std::string> argv;
  std::vector<std::string> env;  // NAME=VALUE
  std::string cwd;
  std::vector<std::byte> stdin;
  std::uint32_t timeoutMs = 0;  // 0: no limit of its own
  std::string user;
  std::uint64_t outputLimit = 0;  // bytes kept of each stream
  bool operator==(const Run&) const = default;
};

struct Ran {
  std::int32_t exitCode = 0;
  std::int32_t signal = 0;
  std::vector<std::byte> out;
  std::vector<std::byte> err;
  bool timedOut = false;
  bool outTruncated = false;
  bool errTruncated = false;
  std::uint64_t durationUs = 0;
  bool operator==(const Ran&) const = default;
};

struct Stop {
  bool operator==(const Stop&) const = default;
};

struct Stopping {
  bool operator==(const Stopping&) const = default;
};

// Why a request was not, or could not be, carried out.
struct Refusal {
  Remedy remedy = Remedy::giveUp;
  std::string text;
  bool operator==(const Refusal&) const = default;
};

struct Request {
  std::uint64_t id = 0;
  // A Refusal is what decoding puts in place of a request that is well-formed but may not be carried out: another
  // protocol number, an unknown kind, a value out of range. It is the answer; it is never sent as a request.
  std::variant<Ping, Renew, Run, Stop, Refusal> body;
  bool operator==(const Request&) const = default;
};

struct Reply {
  std::uint64_t id = 0;
  std::variant<Pong, Renewed, Ran, Stopping, Refusal> body;
  bool operator==(const Reply&) const = default;
};

}  // namespace qm::agent
