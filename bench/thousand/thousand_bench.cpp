// thousand-bench: many clones of one template alive at once: memory, time, whether all answer, CPU while idle, and
// whether all is gone afterwards.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

#include "api/client/http_client.h"
#include "bench/load/http_response.h"
#include "bench/load/lease_talk.h"
#include "bench/load/process_usage.h"
#include "bench/load/service.h"
#include "bench/load/service_options.h"
#include "bench/start/clock.h"
#include "bench/start/figures.h"
#include "bench/start/program.h"
#include "bench/thousand/traces.h"

namespace {

using namespace qm;
using namespace qm::bench;

struct Command {
  ServiceSettings service;
  Stamp stamp;
  std::uint32_t clones = 1000, clients = 4, idleSeconds = 30;
  std::filesystem::path json;
};

void describe(CLI::App& app, Command& command) {
  describeService(app, command.service);
  app.add_option("--clones", command.clones, "How many")->capture_default_str();
  app.add_option("--clients", command.clients, "That ask for them at once")->capture_default_str();
  app.add_option("--idle-seconds", command.idleSeconds, "For how long they are left alone")->capture_default_str();
  describeStamp(app, command.stamp);
  app.add_option("--json", command.json, "Where the figures go, as one flat object");
}

double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Many leases, each asked by some client of several: what failed is counted by its cause.
class Crowd {
 public:
  Crowd(std::filesystem::path socket, std::uint32_t clients) : socket_(std::move(socket)), clients_(clients) {}

  void acquire(std::uint32_t count) {
    leases_.resize(count);
    everyone(count, [this](HttpClient& api, std::size_t i) -> Status {
      constexpr std::string_view kBody = R"({"template": "hello", "ttl_seconds": 3600})";
      const HttpAsk question{.method = "POST", .target = "/v1/leases", .body = std::string(kBody), .headers = {}};
      const HttpAnswer answer = TRY(sent(api, question));
      leases_[i] = TRY(readGrant(answer.body));
      return {};
    });
    std::erase_if(leases_, [](const GrantedLease& lease) { return lease.id.empty(); });
  }
  // How many answered.
  std::size_t ping() {
    std::atomic<std::size_t> answered = 0;
    everyone(leases_.size(), [&](HttpClient& api, std::size_t i) -> Status {
      const HttpAnswer answer = TRY(sent(api, about(i, "GET", "/ping")));
      TRY(readPing(answer.body));
      ++answered;
      return {};
    });
    return answered;
  }
  void release() {
    everyone(leases_.size(), [this](HttpClient& api, std::size_t i) -> Status {
      TRY(sent(api, about(i, "DELETE", "")));
      return {};
    });
  }

  std::size_t size() const { return leases_.size(); }
  const std::vector<GrantedLease>& leases() const { return leases_; }
  const std::map<std::string, std::uint64_t>& failures() const { return failures_; }

 private:
  template <class Act>
  void everyone(std::size_t count, const Act& act) {
    std::atomic<std::size_t> next = 0;
    std::vector<std::jthread> threads;
    for (std::uint32_t client = 0; client < clients_; ++client) {
      threads.emplace_back([&] {
        HttpClient api(socket_);
        for (std::size_t i = next++; i < count; i = next++) {
          const Status done = act(api, i);
          if (done.has_value()) continue;
          const std::lock_guard lock(mutex_);
          ++failures_[done.error().text()];
        }
      });
    }
  }
  static Result<HttpAnswer> sent(HttpClient& api, const HttpAsk& question) {
    HttpAnswer answer = TRY(api.ask(question, deadline()));
    if (answer.status >= 300) return Error(Remedy::giveUp, problemOf(answer.status, answer.body));
    return answer;
  }
  HttpAsk about(std::size_t i, std::string_view method, std::string_view what) const {
    return {.method = method,
            .target = fmt::format("/v1/leases/{}{}", leases_[i].id, what),
            .body = {},
            .headers = {{"Authorization", "Bearer " + leases_[i].token}}};
  }

  std::filesystem::path socket_;
  std::uint32_t clients_;
  std::vector<GrantedLease> leases_;
  std::mutex mutex_;  // protects failures_ while clients ask
  std::map<std::string, std::uint64_t> failures_;
};

class Bench {
 public:
  Bench(const Command& command, Service& service)
      : command_(command), service_(service), crowd_(service.socket(), command.clients) {}

  Status measure() {
    const Traces before = countTraces(service_.pid(), state());
    const std::uint64_t available = TRY(availableKib());
    TRY(make(available));
    TRY(watchIdle());
    const Clock::time_point start = Clock::now();
    crowd_.release();
    TRY(service_.waitUntilFull());
    tell("release_s", "time until all leases were released, s", secondsSince(start));
    const Traces after = TRY(waitUntilGone(before));
    tell("gone_s", "released, until nothing of theirs is left, s", secondsSince(start));
    fmt::print("  before: {}\n  after:  {}\n", before.text(), after.text());
    tell("left_processes", "processes that stayed",
         static_cast<double>(after.processes) - static_cast<double>(before.processes));
    tell("left_folders", "VM folders that stayed",
         static_cast<double>(after.folders) - static_cast<double>(before.folders));
    tell("left_cgroups", "cgroups that stayed (others' come and go, too)",
         static_cast<double>(after.cgroups) - static_cast<double>(before.cgroups));
    tell("left_mounts", "mounts that stayed", static_cast<double>(after.mounts) - static_cast<double>(before.mounts));
    for (const auto& [failure, count] : crowd_.failures()) fmt::print("  failed {:>5}: {}\n", count, failure);
    if (!crowd_.failures().empty()) return Error(Remedy::giveUp, "not all clones did what they were asked");
    if (after.processes > before.processes || after.folders > before.folders || after.mounts > before.mounts)
      return Error(Remedy::giveUp, "something of the clones stayed");
    return {};
  }
  const boost::json::object& flat() const { return flat_; }

 private:
  std::filesystem::path state() const { return service_.socket().parent_path(); }

  // The daemon may end VMs behind its answer; what is there after the patience stays.
  Result<Traces> waitUntilGone(const Traces& before) {
    const Clock::time_point last = deadline();
    for (;;) {
      const Traces now = countTraces(service_.pid(), state());
      if ((now.processes <= before.processes && now.folders <= before.folders) || Clock::now() >= last) return now;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }

  Status make(std::uint64_t availableBefore) {
    const Clock::time_point start = Clock::now();
    crowd_.acquire(command_.clones);
    tell("create_s", "time to create them, s", secondsSince(start));
    tell("clones", "clones alive", static_cast<double>(crowd_.size()));
    std::map<std::string, int> roads;
    for (const GrantedLease& lease : crowd_.leases()) ++roads[std::string(pool::name(lease.road))];
    for (const auto& [road, count] : roads) tell("road_" + road, "  by road " + road, count);
    const Clock::time_point asked = Clock::now();
    tell("answered", "of them answered a ping", static_cast<double>(crowd_.ping()));
    tell("ping_all_s", "time for all pings, s", secondsSince(asked));
    const Proportional memory = proportionalSetOf(descendantsOf(service_.pid()));
    const double count = static_cast<double>(std::max<std::size_t>(crowd_.size(), 1));
    constexpr double kKibInMib = 1024;
    tell("memory_taken_mib", "MemAvailable fell by, MiB (others' use falls into it)",
         (static_cast<double>(availableBefore) - static_cast<double>(TRY(availableKib()))) / kKibInMib);
    tell("pss_mib", "sum of PSS of spawner and VMs, MiB", static_cast<double>(memory.kib) / kKibInMib);
    tell("pss_kib_per_clone", "the same to each clone, KiB", static_cast<double>(memory.kib) / count);
    return {};
  }

  Status watchIdle() {
    std::this_thread::sleep_for(std::chrono::seconds(2));
    const ServiceUsage before = TRY(sampleUsage(service_.pid()));
    std::this_thread::sleep_for(std::chrono::seconds(command_.idleSeconds));
    const ServiceUsage after = TRY(sampleUsage(service_.pid())), used = after.since(before);
    const double over = std::chrono::duration<double>(after.at - before.at).count();
    const auto percent = [&](std::chrono::nanoseconds cpu) {
      return 100 * std::chrono::duration<double>(cpu).count() / over;
    };
    tell("idle_vms_cpu_percent", "CPU of all VMs while idle, % of one", percent(used.vms.cpu()));
    tell("idle_daemon_cpu_percent", "CPU of quickmatchd meanwhile, % of one", percent(used.daemon.cpu()));
    tell("idle_machine_cpu_percent", "CPU of the whole machine meanwhile, % of one", percent(used.machineBusy));
    tell("answered_after_idle", "of them answered a ping after it", static_cast<double>(crowd_.ping()));
    return {};
  }

  void tell(const std::string& key, std::string_view what, double value) {
    flat_[key] = value;
    fmt::print("  {:<56} {:>10.2f}\n", what, value);
    (void)std::fflush(stdout);
  }

  const Command& command_;
  Service& service_;
  Crowd crowd_;
  boost::json::object flat_;
};

Status measure(const Command& command) {
  ServiceSettings settings = command.service;
  settings.pool = 0;  // leases keep them; a pool would make as many again
  Service service = TRY(Service::start(settings));
  boost::json::object flat = TRY(introduce(service, settings, command.stamp));
  fmt::print("{} clones of hello, 128 MiB each\n", command.clones);
  Bench bench(command, service);
  Status done = bench.measure();
  for (const auto& [key, value] : bench.flat()) flat[key] = value;
  if (!command.json.empty()) TRY(writeFlat(flat, command.json));
  return done;
}

}  // namespace

int main(int count, char** words) {
  return runProgram<Command>({"thousand-bench", "Keeps many clones of one template alive at once."}, count, words,
                             describe, measure);
}
