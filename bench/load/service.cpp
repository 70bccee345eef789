#include "bench/load/service.h"

#include <signal.h>

#include <system_error>
#include <thread>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "api/json/fields.h"
#include "bench/start/places.h"
#include "vmm/os/file_descriptor.h"
#include "vmm/os/folder.h"

namespace qm::bench {

namespace {

using boost::json::array;
using boost::json::object;

constexpr std::uint64_t kLongestLog = 64ULL << 20U;
constexpr std::size_t kLogTail = 4000;
// A template is booted, saved, read twice and tried: minutes, in a lab on a busy machine.
constexpr std::chrono::minutes kToPrepare(10);

object configOf(const ServiceSettings& settings) {
  // An array in braces alone would be a copy of it, not an array that holds it.
  array rehearsal;
  rehearsal.push_back(array{"/bin/echo", "hi"});
  const object recipe{{"kernel", settings.kernel.native()},
                      {"initrd", settings.initrd.native()},
                      {"boot_arguments", kBootArguments},
                      {"vcpus", 1},
                      {"memory_mib", kGuestMemoryMib},
                      {"pool_size", settings.pool},
                      {"reuse", settings.reuse},
                      {"rehearsal", rehearsal}};
  object config{{"folders", array{settings.kernel.parent_path().native(), settings.initrd.parent_path().native()}},
                {"templates", object{{"hello", recipe}}}};
  object pool;
  if (settings.refillsAtOnce) pool["refills_at_once"] = *settings.refillsAtOnce;
  if (settings.blanks) pool["blanks"] = *settings.blanks;
  if (!pool.empty()) config["pool"] = pool;
  if (settings.requestThreads) config["request_threads"] = *settings.requestThreads;
  return config;
}

Status writeText(const std::filesystem::path& path, const std::string& text) {
  const FileDescriptor file = TRY(openFile(path, OpenMode::create));
  return writeAll(file, std::as_bytes(std::span(text)));
}

// The same program, with the tracer as its grandchild (-D): its process is still our child.
void traced(const std::filesystem::path& folder, StartPlan& plan) {
  plan.arguments.insert(plan.arguments.begin(),
                        {"-D", "-ff", "-ttt", "-q", "-e", "signal=none", "-o", folder / "calls", plan.executable});
  plan.executable = "/usr/bin/strace";
}

Result<std::string> logIn(const std::filesystem::path& folder) {
  const std::vector<std::byte> bytes = TRY(readWholeFile(folder / "log", kLongestLog));
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

}  // namespace

Service::Service(const ServiceSettings& settings, std::filesystem::path folder, Process process)
    : settings_(settings),
      folder_(std::move(folder)),
      socket_(folder_ / "state/api.sock"),
      process_(std::move(process)),
      api_(socket_) {}

Result<Service> Service::start(const ServiceSettings& settings) {
  TRY(makeFolder(settings.folder));
  TRY(writeText(settings.folder / "config.json", boost::json::serialize(configOf(settings))));
  // Absolute: it starts in a folder of its own.
  StartPlan plan{.executable = std::filesystem::absolute(settings.programs) / "quickmatchd",
                 .arguments = {"--config", settings.folder / "config.json", "--state", settings.folder / "state",
                               "--listen", "none", "--hypervisor", settings.hypervisor, "--jail", settings.jail},
                 .folder = settings.folder,
                 .output = settings.folder / "log"};
  if (settings.seccomp != "own") plan.arguments.insert(plan.arguments.end(), {"--seccomp-level", settings.seccomp});
  if (!settings.trace.empty()) traced(settings.trace, plan);
  Process process = TRY(Process::start(plan));
  Service service(settings, settings.folder, std::move(process));
  TRY(service.waitUntilFull(Clock::now() + kToPrepare));
  return service;
}

Service::~Service() {
  if (!process_.descriptor().isOpen()) return;
  static_cast<void>(process_.signal(SIGTERM));
  static_cast<void>(process_.reap());
}

Status Service::waitUntilFull(Clock::time_point last) {
  while (Clock::now() < last) {
    const Result<bool> full = isFull();
    if (full.has_value() && *full) return {};
    // retry: it does not listen yet.
    if (!full.has_value() && full.error().remedy() != Remedy::retry) return full.error();
    if (process_.waitForEnd(Clock::now() + std::chrono::milliseconds(20))) {
      const std::string log = logIn(folder_).value_or("");
      return Error(Remedy::giveUp, "quickmatchd ended: " + log.substr(log.size() - std::min(log.size(), kLogTail)));
    }
  }
  return Error(Remedy::giveUp, "the pool did not fill: " + seen_);
}

Status Service::waitUntilQuiet() {
  constexpr std::string_view kNoneEnding = "quickmatch_load{of=\"ending\"} 0\n";
  for (const Clock::time_point last = deadline(); Clock::now() < last;) {
    TRY(waitUntilFull());
    if (TRY(metrics()).contains(kNoneEnding)) return {};
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return Error(Remedy::giveUp, "ended VMs did not go");
}

Result<bool> Service::isFull() {
  const boost::json::value answer = TRY(ask("GET", "/v1/pools", {}, ""));
  seen_ = boost::json::serialize(answer);
  const boost::json::value* pools = answer.get_object().if_contains("pools");
  if (pools == nullptr || !pools->is_array() || pools->get_array().size() != 1) return false;
  Fields fields = TRY(Fields::of(pools->get_array().front()));
  const std::uint64_t ready = TRY(fields.number("ready", {})), making = TRY(fields.number("making", {}));
  const std::uint64_t leased = TRY(fields.number("leased", {}));
  // Where VMs are reset there may be more.
  const bool isShort = settings_.reuse == "reset" ? ready < settings_.pool : ready != settings_.pool;
  if (isShort || making != 0 || leased != 0) return false;
  Fields whole = TRY(Fields::of(answer));
  if (settings_.blanks && TRY(whole.number("blanks", {})) != *settings_.blanks) return false;
  // A pool that wants no clones is full before there is a template to restore from.
  const boost::json::value* status = fields.find("status");
  if (status == nullptr) return false;
  Fields state = TRY(Fields::of(*status));
  const std::string name = TRY(state.text("state"));
  if (name == "failed") return Error(Remedy::giveUp, "the template failed: " + seen_);
  if (name == "none") TRY(ask("POST", "/v1/templates/hello/build", {}, ""));
  return name == "ready";
}

Result<HttpAnswer> Service::send(const HttpAsk& question) {
  HttpAnswer answer = TRY(api_.ask(question, deadline()));
  if (answer.status >= 300)
    return Error(Remedy::giveUp,
                 fmt::format("{} {}: {} {}", question.method, question.target, answer.status, answer.body));
  return answer;
}

Result<object> Service::ask(std::string_view method, const std::string& target, const object& body,
                            const std::string& token) {
  HttpAsk question{.method = method, .target = target, .body = {}, .headers = {}};
  if (!body.empty()) question.body = boost::json::serialize(body);
  if (!token.empty()) question.headers.emplace_back("Authorization", "Bearer " + token);
  const HttpAnswer answer = TRY(send(question));
  if (answer.body.empty()) return object{};
  boost::json::value value = TRY(parseJson(answer.body));
  return value.is_object() ? std::move(value.get_object()) : object{};
}

Result<std::string> Service::metrics() {
  return TRY(send({.method = "GET", .target = "/metrics", .body = {}, .headers = {}})).body;
}

Result<std::string> Service::hypervisor() {
  const boost::json::value answer = TRY(ask("GET", "/healthz", {}, ""));
  Fields fields = TRY(Fields::of(answer));
  return fields.text("hypervisor");
}

Result<std::string> Service::end() {
  TRY(process_.signal(SIGTERM));
  static_cast<void>(process_.reap());
  process_ = {};
  return logIn(folder_);
}

}  // namespace qm::bench
