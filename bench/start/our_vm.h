// quickmatch-vmm without a jail, driven over its API as the daemon drives it. Killed and reaped at the latest with
// this.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include <boost/json/object.hpp>

#include "api/client/http_client.h"
#include "bench/start/agent_reply.h"
#include "bench/start/places.h"
#include "vmm/os/process.h"
#include "vmm/result/result.h"

namespace qm::bench {

// A snapshot's two files.
struct SavedVm {
  std::filesystem::path state, memory;
};

class OurVm {
 public:
  // Of the program `vmm`, in a folder of its own below `folder`, which is made. `options`: besides the usual ones.
  static Result<OurVm> spawn(const std::filesystem::path& vmm, const std::filesystem::path& folder,
                             const std::string& id, const std::vector<std::string>& options = {});
  OurVm(OurVm&&) noexcept = default;
  OurVm& operator=(OurVm&&) = delete;
  ~OurVm();

  // Everything but InstanceStart.
  Status configure(const Recipe& recipe);
  Status start();
  // Pauses it first.
  Status save(const SavedVm& files);
  // And lets it run.
  Status restore(const SavedVm& files);

  // One try; retry while it is not there yet.
  Result<agent::AgentClient> connect() const;
  Result<FirstReply> waitForFirstReply(std::chrono::milliseconds pause) const;
  // What the VMM says of its own phases, in microseconds.
  Result<boost::json::object> times();
  // SIGKILL, and waits until it is reaped.
  Status kill();
  // SIGTERM, and waits until it is reaped; all that VMM and guest have said.
  Result<std::string> end();

  pid_t pid() const { return process_.pid(); }

 private:
  OurVm(std::filesystem::path folder, Process process)
      : folder_(std::move(folder)), process_(std::move(process)), api_(folder_ / "api.sock") {}
  // Asks until somebody listens.
  Result<HttpAnswer> ask(std::string_view method, const std::string& target, const boost::json::object& body);
  Status put(const std::string& target, const boost::json::object& body);

  std::filesystem::path folder_;
  Process process_;
  HttpClient api_;
};

}  // namespace qm::bench
