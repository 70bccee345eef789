// A quickmatchd of the benchmark's own, with everything that it starts: over a folder that goes away with it.
// Move-only; ended (SIGTERM) and reaped at the latest with this.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include <boost/json/object.hpp>

#include "api/client/http_client.h"
#include "bench/start/clock.h"
#include "vmm/os/process.h"
#include "vmm/result/result.h"

namespace qm::bench {

struct ServiceSettings {
  std::filesystem::path programs;        // folder of quickmatchd and its fellows
  std::filesystem::path kernel, initrd;  // of the template hello; names without links, since a jail shows what is named
  std::filesystem::path folder;          // made; in memory, best
  std::string hypervisor = "auto";       // as quickmatchd takes them
  std::string jail = "namespaces";
  std::string seccomp = "2";                           // level; "own": the daemon is not told (one without the option)
  std::filesystem::path trace;                         // folder for strace's files calls.TID; empty: nothing is traced
  std::uint32_t pool = 16;                             // clones kept ready
  std::string reuse = "destroy";                       // of VMs that were used, as the recipe takes it
  std::optional<std::uint32_t> refillsAtOnce, blanks;  // none: the daemon's own
  std::optional<std::uint32_t> requestThreads;
};

class Service {
 public:
  // Until the template is ready and its pool is full.
  static Result<Service> start(const ServiceSettings& settings);
  Service(Service&&) noexcept = default;
  Service& operator=(Service&&) = delete;
  ~Service();

  // Every clone ready, none in the making, none leased, the blanks there.
  Status waitUntilFull(Clock::time_point last = deadline());
  // That, and nothing left of VMs that have ended.
  Status waitUntilQuiet();
  // Any answer below 300.
  Result<HttpAnswer> send(const HttpAsk& question);
  // The same, as an object (empty without a body).
  Result<boost::json::object> ask(std::string_view method, const std::string& target, const boost::json::object& body,
                                  const std::string& token);
  // GET /metrics.
  Result<std::string> metrics();
  // "kvm" or "soft".
  Result<std::string> hypervisor();
  // Ends it; what it logged, for people.
  Result<std::string> end();

  const std::filesystem::path& socket() const { return socket_; }
  pid_t pid() const { return process_.pid(); }

 private:
  Service(const ServiceSettings& settings, std::filesystem::path folder, Process process);
  Result<bool> isFull();

  ServiceSettings settings_;
  std::filesystem::path folder_, socket_;
  Process process_;
  HttpClient api_;
  std::string seen_ = "nothing";  // of the pool, last
};

}  // namespace qm::bench
