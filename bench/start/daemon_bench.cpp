#include "bench/start/daemon_bench.h"

#include <signal.h>

#include <thread>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "api/client/http_client.h"
#include "api/json/fields.h"
#include "bench/start/clock.h"
#include "vmm/os/folder.h"
#include "vmm/os/process.h"

namespace qm::bench {

namespace {

using boost::json::object;

constexpr int kPoolSize = 3;
constexpr std::uint64_t kBlanks = 2;

struct Lease {
  std::string id, token;
};

class Daemon {
 public:
  static Result<Daemon> start(const Places& places) {
    const std::filesystem::path folder = places.folder / "daemon";
    TRY(makeFolder(folder));
    TRY(writeConfig(places, folder / "config.json"));
    Process process = TRY(
        Process::start({.executable = places.daemon,
                        .arguments = {"--config", folder / "config.json", "--state", folder / "state", "--listen",
                                      "none", "--hypervisor", "kvm", "--vmm", places.vmm, "--spawner", places.spawner},
                        .folder = folder,
                        .output = folder / "log"}));
    return Daemon(folder / "state/api.sock", std::move(process));
  }
  Daemon(Daemon&&) noexcept = default;
  Daemon& operator=(Daemon&&) = delete;
  ~Daemon() {
    if (!process_.descriptor().isOpen()) return;
    static_cast<void>(process_.signal(SIGTERM));
    static_cast<void>(process_.reap());
  }

  // Until every clone is ready, none in the making and none leased.
  Status waitUntilFull() {
    const Clock::time_point last = deadline();
    std::string seen = "nothing";
    while (Clock::now() < last) {
      const Result<object> answer = ask("GET", "/v1/pools", {}, "");
      if (answer.has_value()) {
        seen = boost::json::serialize(*answer);
        const Result<bool> full = isFull(*answer);
        if (full.has_value() && *full) return {};
      }
      if (process_.waitForEnd(Clock::now() + std::chrono::milliseconds(50)))
        return Error(Remedy::giveUp, "quickmatchd ended; its log says why");
    }
    return Error(Remedy::giveUp, "the pool did not fill: " + seen);
  }

  Result<Lease> acquire() {
    object answer = TRY(ask("POST", "/v1/leases", {{"template", "hello"}, {"ttl_seconds", 60}}, ""));
    Fields fields = TRY(Fields::of(answer_ = std::move(answer)));
    const std::string road = TRY(fields.text("road"));
    if (road != "ready") return Error(Remedy::giveUp, "a full pool's lease came by the road " + road);
    return Lease{.id = TRY(fields.text("id")), .token = TRY(fields.text("token"))};
  }
  Status ping(const Lease& lease) {
    (void)TRY(ask("GET", fmt::format("/v1/leases/{}/ping", lease.id), {}, lease.token));
    return {};
  }
  Status release(const Lease& lease) {
    (void)TRY(ask("DELETE", "/v1/leases/" + lease.id, {}, lease.token));
    return {};
  }

 private:
  Daemon(const std::filesystem::path& socket, Process process) : api_(socket), process_(std::move(process)) {}

  static Status writeConfig(const Places& places, const std::filesystem::path& path) {
    const object recipe{{"kernel", places.kernel.native()}, {"initrd", places.initrd.native()},
                        {"boot_arguments", kBootArguments}, {"vcpus", 1},
                        {"memory_mib", kGuestMemoryMib},    {"pool_size", kPoolSize}};
    const object config{
        {"folders", boost::json::array{places.kernel.parent_path().native(), places.initrd.parent_path().native()}},
        {"pool", object{{"blanks", kBlanks}}},
        {"templates", object{{"hello", recipe}}}};
    const std::string text = boost::json::serialize(config);
    const FileDescriptor file = TRY(openFile(path, OpenMode::create));
    return writeAll(file, std::as_bytes(std::span(text)));
  }

  // Blanks, too: one is started anew for each that became a clone, and the next acquire would be measured beside that.
  static Result<bool> isFull(const object& answer) {
    const boost::json::value* pools = answer.if_contains("pools");
    if (pools == nullptr || !pools->is_array() || pools->get_array().size() != 1) return false;
    Fields fields = TRY(Fields::of(pools->get_array().front()));
    const std::uint64_t ready = TRY(fields.number("ready", {}));
    const std::uint64_t making = TRY(fields.number("making", {}));
    const boost::json::value* blanks = answer.if_contains("blanks");
    return ready == kPoolSize && making == 0 && blanks != nullptr && *blanks == kBlanks;
  }

  Result<object> ask(std::string_view method, const std::string& target, const object& body, const std::string& token) {
    HttpAsk question{.method = method, .target = target, .body = {}, .headers = {}};
    if (!body.empty()) question.body = boost::json::serialize(body);
    if (!token.empty()) question.headers.emplace_back("Authorization", "Bearer " + token);
    const HttpAnswer answer = TRY(api_.ask(question, deadline()));
    if (answer.status >= 300)
      return Error(Remedy::giveUp, fmt::format("{} {}: {} {}", method, target, answer.status, answer.body));
    if (answer.body.empty()) return object{};
    const boost::json::value value = TRY(parseJson(answer.body));
    return value.is_object() ? value.get_object() : object{};
  }

  HttpClient api_;
  Process process_;
  boost::json::value answer_;
};

}  // namespace

Status measureWarmHits(const Places& places, std::uint32_t runs, Figures& figures) {
  Daemon daemon = TRY(Daemon::start(places));
  for (std::uint32_t run = 0; run <= runs; ++run) {
    TRY(daemon.waitUntilFull());
    const Clock::time_point asked = Clock::now();
    const Lease lease = TRY(daemon.acquire());
    const Clock::time_point granted = Clock::now();
    TRY(daemon.ping(lease));
    const Clock::time_point replied = Clock::now();
    TRY(daemon.release(lease));
    const Clock::time_point released = Clock::now();
    if (run == 0) continue;  // warms the daemon's own pages
    figures.add("acquire", granted - asked);
    figures.add("acquire_reply", replied - asked);
    figures.add("release", released - replied);
  }
  return {};
}

}  // namespace qm::bench
