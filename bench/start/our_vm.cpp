#include "bench/start/our_vm.h"

#include <signal.h>

#include <system_error>

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "api/json/fields.h"
#include "vmm/os/folder.h"

namespace qm::bench {

using boost::json::object;

Result<OurVm> OurVm::spawn(const std::filesystem::path& vmm, const std::filesystem::path& folder, const std::string& id,
                           const std::vector<std::string>& options) {
  const std::filesystem::path own = folder / id;
  TRY(makeFolder(own));
  std::vector<std::string> arguments{"--api-sock", "api.sock", "--id", id};
  arguments.insert(arguments.end(), options.begin(), options.end());
  Process process = TRY(Process::start(
      {.executable = vmm, .arguments = std::move(arguments), .folder = own, .output = own / "console.log"}));
  return OurVm(own, std::move(process));
}

OurVm::~OurVm() {
  if (process_.descriptor().isOpen()) static_cast<void>(kill());
  std::error_code ignored;
  if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
}

Status OurVm::kill() {
  TRY(process_.signal(SIGKILL));
  static_cast<void>(process_.reap());
  process_ = Process();
  return {};
}

Result<std::string> OurVm::end() {
  TRY(process_.signal(SIGTERM));
  if (!process_.waitForEnd(deadline())) return Error(Remedy::giveUp, "quickmatch-vmm does not end on SIGTERM");
  static_cast<void>(process_.reap());
  process_ = Process();
  constexpr std::uint64_t kLongestLog = std::uint64_t{1} << 20U;
  const std::vector<std::byte> said = TRY(readWholeFile(folder_ / "console.log", kLongestLog));
  return std::string(reinterpret_cast<const char*>(said.data()), said.size());
}

Result<HttpAnswer> OurVm::ask(std::string_view method, const std::string& target, const object& body) {
  const std::string text = body.empty() && method == "GET" ? "" : boost::json::serialize(body);
  const Clock::time_point last = deadline();
  for (;;) {
    Result<HttpAnswer> answer = api_.ask({.method = method, .target = target, .body = text, .headers = {}}, last);
    const Clock::time_point now = Clock::now();
    if (answer.has_value() || answer.error().remedy() != Remedy::retry || now >= last) return answer;
    // As long as the daemon waits between two tries.
    if (process_.waitForEnd(now + std::chrono::microseconds(300)))
      return Error(Remedy::giveUp, "quickmatch-vmm ended before it listened");
  }
}

Status OurVm::put(const std::string& target, const object& body) {
  const HttpAnswer answer = TRY(ask("PUT", target, body));
  if (answer.status < 300) return {};
  return Error(Remedy::giveUp, fmt::format("PUT {}: {}", target, answer.body));
}

Status OurVm::configure(const Recipe& recipe) {
  TRY(put("/machine-config", {{"vcpu_count", 1}, {"mem_size_mib", recipe.memoryMib}}));
  TRY(put("/boot-source", {{"kernel_image_path", recipe.kernel.native()},
                           {"initrd_path", recipe.initrd.native()},
                           {"boot_args", recipe.bootArguments()}}));
  if (!recipe.disk.empty()) {
    TRY(put("/drives/disk", {{"drive_id", "disk"},
                             {"path_on_host", recipe.disk.native()},
                             {"is_root_device", false},
                             {"is_read_only", true}}));
  }
  TRY(put("/vsock", {{"guest_cid", 3}, {"uds_path", "vsock.sock"}}));
  return put("/entropy", {});
}

Status OurVm::start() {
  return put("/actions", {{"action_type", "InstanceStart"}});
}

Status OurVm::save(const SavedVm& files) {
  const HttpAnswer paused = TRY(ask("PATCH", "/vm", {{"state", "Paused"}}));
  if (paused.status >= 300) return Error(Remedy::giveUp, paused.body);
  return put(
      "/snapshot/create",
      {{"snapshot_path", files.state.native()}, {"mem_file_path", files.memory.native()}, {"snapshot_type", "Full"}});
}

Status OurVm::restore(const SavedVm& files) {
  return put("/snapshot/load",
             {{"snapshot_path", files.state.native()},
              {"mem_backend", object{{"backend_type", "File"}, {"backend_path", files.memory.native()}}},
              {"resume_vm", true},
              {"vsock_override", object{{"uds_path", "vsock.sock"}}}});
}

Result<agent::AgentClient> OurVm::connect() const {
  return agent::AgentClient::connect(folder_ / "vsock.sock", deadline());
}

Result<FirstReply> OurVm::waitForFirstReply(std::chrono::milliseconds pause) const {
  return bench::waitForFirstReply([this] { return connect(); }, process_, pause);
}

Result<object> OurVm::times() {
  const HttpAnswer answer = TRY(ask("GET", "/qm/times", {}));
  const boost::json::value value = TRY(parseJson(answer.body));
  if (!value.is_object()) return Error(Remedy::giveUp, "/qm/times answers no object");
  return value.get_object();
}

}  // namespace qm::bench
