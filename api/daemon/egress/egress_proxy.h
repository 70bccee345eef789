// The way out of network slots: an HTTP proxy at each slot's gateway, for CONNECT only (RFC 9110, section 9.3.6), which
// connects a guest to what its template lists and to nothing else.
// Modelled: CONNECT to a name or an address and a port that the list has literally; names are resolved here, on the
// host. Not modelled: plain requests, authentication, UDP, a look at what is said over the connection. Everything else
// is answered 403, counted, and told in the log once a second for each VM at most, so that no guest fills it.
//
// Limits, for each VM: kMostConversations at once (those beyond wait to be accepted), ten seconds for a request, as
// long for a connection, five minutes of silence.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "pool/network/destination.h"
#include "vmm/log/log.h"
#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm {

// Since the daemon began.
struct EgressCounts {
  std::uint64_t connected = 0;
  std::uint64_t refused = 0;  // 403
  std::uint64_t failed = 0;   // 502: permitted, and not reached
  bool operator==(const EgressCounts&) const = default;
};

// Threads: any; it has one of its own.
class EgressProxy {
 public:
  static constexpr std::size_t kMostConversations = 32;

  explicit EgressProxy(Log log);
  ~EgressProxy();
  EgressProxy(const EgressProxy&) = delete;
  EgressProxy& operator=(const EgressProxy&) = delete;

  struct Gate;
  // A resource: one slot's proxy. Its destruction closes the listener and ends every connection through it, soon and
  // without waiting.
  class Way {
   public:
    explicit Way(std::shared_ptr<Gate> gate) : gate_(std::move(gate)) {}
    Way(Way&&) noexcept = default;
    Way& operator=(Way&&) = delete;
    ~Way();

   private:
    std::shared_ptr<Gate> gate_;
  };
  // Serves whoever connects to `listener`, until the way's end. `vm` is for the log.
  Result<Way> open(FileDescriptor listener, std::vector<pool::Destination> list, std::string_view vm);

  EgressCounts counts() const;

 private:
  class Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace qm
