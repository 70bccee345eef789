#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <thread>

#include <fmt/format.h>

#include "api/cli/cells.h"
#include "api/cli/command.h"
#include "api/json/bytes.h"
#include "vmm/os/standard_streams.h"

namespace qm::cli {

namespace {

constexpr std::size_t kMostStdin = 12U << 20U;  // in base64 it fits in a request

Result<boost::json::object> execBody(const ExecOptions& options) {
  boost::json::array argv;
  for (const std::string& word : options.argv) argv.emplace_back(word);
  boost::json::object variables;
  for (const std::string& variable : options.environment) {
    const std::size_t equals = variable.find('=');
    if (equals == std::string::npos)
      return Error(Remedy::fixInput, "a variable is NAME=VALUE, which is not: " + variable);
    variables[variable.substr(0, equals)] = variable.substr(equals + 1);
  }
  // A terminal's input is left to the person: a guest's command has none then.
  std::vector<std::byte> input;
  if (!isTerminal(StandardStream::input)) input = TRY(readStandardInput(kMostStdin));
  boost::json::object body{{"argv", std::move(argv)}, {"env", std::move(variables)}, {"timeout_ms", options.timeoutMs}};
  if (!options.folder.empty()) body["cwd"] = options.folder;
  if (!options.user.empty()) body["user"] = options.user;
  if (!input.empty()) body["stdin"] = bytesToJson(input);
  return body;
}

void copyOut(const boost::json::value& bytes, StandardStream stream) {
  const auto content = bytesFromJson(bytes);
  if (content.has_value()) writeStandard(stream, *content);
}

// The command's streams on ours. The command's exit code, or 128 and the signal as shells have it.
int replay(const boost::json::value& ran) {
  copyOut(ran.at("stdout"), StandardStream::output);
  copyOut(ran.at("stderr"), StandardStream::error);
  if (ran.at("timed_out").as_bool()) fmt::print(stderr, "quickmatch: the command was killed at its timeout\n");
  if (ran.at("stdout_truncated").as_bool() || ran.at("stderr_truncated").as_bool()) {
    fmt::print(stderr, "quickmatch: output beyond the limit was dropped\n");
  }
  const auto signal = static_cast<int>(ran.at("signal").as_int64());
  constexpr int kSignalled = 128;
  return signal == 0 ? static_cast<int>(ran.at("exit_code").as_int64()) : kSignalled + signal;
}

// Renews a lease until it is destroyed, so that a lease lives as long as the command and not longer than its client.
class Renewing {
 public:
  Renewing(const std::filesystem::path& socket, LeaseHandle lease, std::uint64_t ttlSeconds)
      : thread_([this, socket, lease = std::move(lease), ttlSeconds] { loop(socket, lease, ttlSeconds); }) {}
  Renewing(const Renewing&) = delete;
  Renewing& operator=(const Renewing&) = delete;
  ~Renewing() {
    {
      const std::scoped_lock lock(mutex_);
      done_ = true;
    }
    changed_.notify_all();
  }

 private:
  void loop(const std::filesystem::path& socket, const LeaseHandle& lease, std::uint64_t ttlSeconds) {
    DaemonApi api(socket);
    const auto pause = std::chrono::milliseconds(ttlSeconds * 1000 / 3);
    std::unique_lock lock(mutex_);
    while (!changed_.wait_for(lock, pause, [this] { return done_; })) {
      lock.unlock();
      // One that fails is tried again at the next turn; the second third of the time is left for that.
      static_cast<void>(api.askOfLease("POST", lease, "/renew", boost::json::object{{"ttl_seconds", ttlSeconds}}));
      lock.lock();
    }
  }

  std::mutex mutex_;  // protects done_
  std::condition_variable changed_;
  bool done_ = false;
  std::jthread thread_;  // last: joined first
};

}  // namespace

int exec(DaemonApi& api, Format format, const std::string& lease, const ExecOptions& options) {
  const auto handle = leaseHandle(lease);
  if (!handle.has_value()) return fail(handle.error(), kNotRun);
  const auto body = execBody(options);
  if (!body.has_value()) return fail(body.error(), kNotRun);
  const auto ran = api.askOfLease("POST", *handle, "/exec", *body);
  if (!ran.has_value()) return fail(ran.error(), kNotRun);
  return format == Format::json ? show(format, *ran, {}) : replay(*ran);
}

int run(DaemonApi& api, const AcquireOptions& lease, const ExecOptions& options, Verbosity verbosity) {
  const auto body = execBody(options);
  if (!body.has_value()) return fail(body.error(), kNotRun);
  const auto grant = api.ask("POST", "/v1/leases", acquireBody(lease));
  if (!grant.has_value()) return fail(grant.error(), kNotRun);
  if (verbosity == Verbosity::verbose) {
    fmt::print(stderr, "quickmatch: {} by road {}: {}\n", cell(*grant, "id"), cell(*grant, "road"), phasesText(*grant));
  }
  const LeaseHandle handle{.id = cell(*grant, "id"), .token = cell(*grant, "token")};
  const auto ran = [&] {
    const Renewing renewing(api.socket(), handle, lease.ttlSeconds);
    return api.askOfLease("POST", handle, "/exec", *body);
  }();
  const int code = ran.has_value() ? replay(*ran) : fail(ran.error(), kNotRun);
  if (ran.has_value() && verbosity == Verbosity::verbose) {
    fmt::print(stderr, "quickmatch: the command took {}\n", duration(ran->at("duration_us").as_int64()));
  }
  const auto released = api.askOfLease("DELETE", handle, "").during("releasing the lease");
  if (!released.has_value()) fail(released.error());
  return code;
}

}  // namespace qm::cli
