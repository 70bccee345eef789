// The way out of network slots: an HTTP proxy at each slot's gateway, for CONNECT only (RFC 9110, section 9.3.6), which
// connects a guest to what its template lists and to nothing else.
// Modelled: CONNECT to a name or an address and a port that the list has literally; names are resolved here, on the
// host, and lead to public addresses that are not the host's, or to such as the list has itself. Not modelled: plain
// requests, authentication, UDP, a look at what is said over the connection. Everything else is answered 403, counted,
// and told in the log once a second for each VM at most, so that no guest fills it.
//
// Limits, for each VM: kMostConversations at once (those beyond wait to be accepted), two names looked up at once, ten
// seconds for a request, as long for a connection by all addresses of its name together, five minutes of silence. Over
// all: sixteen names looked up at once (api/daemon/egress/name_lookups.h). Who finds no place for its name is answered
// 503, whose name is not found or whose destination does not answer in time 504.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "api/daemon/egress/name_resolver.h"
#include "pool/network/destination.h"
#include "vmm/log/log.h"
#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm {

struct EgressSettings {
  NameResolver resolve = resolveByHost;
  std::chrono::milliseconds lookupLimit = std::chrono::seconds(5);  // of one name, with its wait for a place
};

// Since the daemon began.
struct EgressCounts {
  std::uint64_t connected = 0;
  std::uint64_t refused = 0;  // 403
  std::uint64_t failed = 0;   // 502, 503, 504: permitted, and not reached
  bool operator==(const EgressCounts&) const = default;
};

// Threads: any; it has one of its own, and one for each name that is being looked up. These it does not wait for.
class EgressProxy {
 public:
  static constexpr std::size_t kMostConversations = 32;

  explicit EgressProxy(Log log, EgressSettings settings = {});
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
