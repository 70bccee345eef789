#include <filesystem>
#include <system_error>

#include <boost/json/array.hpp>

#include "api/cli/command.h"
#include "api/cli/doctor/host_checks.h"
#include "api/cli/doctor/kvm_check.h"
#include "vmm/os/file_descriptor.h"

namespace qm::cli {

namespace {

std::optional<std::string> read(const char* path) {
  Result<std::string> text = readKernelFile(path);
  if (!text.has_value()) return std::nullopt;
  return std::move(text).value();
}

// The nearest folder above that is there: a state folder may not have been made yet.
std::uint64_t freeBytesAt(std::filesystem::path folder) {
  std::error_code failure;
  while (!std::filesystem::exists(folder, failure) && folder.has_relative_path()) folder = folder.parent_path();
  const std::filesystem::space_info space = std::filesystem::space(folder, failure);
  return failure ? 0 : space.available;
}

Finding daemonFinding(DaemonApi& api) {
  const auto health = api.ask("GET", "/healthz");
  if (health.has_value()) return {.what = "daemon", .found = "answers on " + api.socket().string()};
  return {.what = "daemon",
          .state = Finding::State::limited,
          .found = "does not answer on " + api.socket().string(),
          .remedy = "Start quickmatchd, or name its socket with --socket or QUICKMATCH_SOCKET."};
}

std::vector<Finding> examine(DaemonApi& api) {
  std::error_code ignored;
  return {checkKvm(),
          checkKernelRelease(read("/proc/sys/kernel/osrelease").value_or("")),
          checkUserNamespaces(read("/proc/sys/user/max_user_namespaces"),
                              read("/proc/sys/kernel/unprivileged_userns_clone")),
          checkCgroups(read("/sys/fs/cgroup/cgroup.controllers"),
                       std::filesystem::exists("/sys/fs/cgroup/memory", ignored)),
          checkOpenFiles(read("/proc/self/limits").value_or("")),
          checkMemory(read("/proc/meminfo").value_or("")),
          checkDisk(freeBytesAt(api.socket().parent_path())),
          checkTun(std::filesystem::exists("/dev/net/tun", ignored)),
          daemonFinding(api)};
}

}  // namespace

int doctor(DaemonApi& api, Format format) {
  boost::json::array document;
  std::vector<Row> rows{{"WHAT", "STATE", "FOUND", "REMEDY"}};
  bool works = true;
  for (const Finding& finding : examine(api)) {
    document.push_back(boost::json::object{
        {"what", finding.what}, {"state", name(finding.state)}, {"found", finding.found}, {"remedy", finding.remedy}});
    rows.push_back({finding.what, std::string(name(finding.state)), finding.found, finding.remedy});
    works = works && finding.state != Finding::State::missing;
  }
  show(format, boost::json::object{{"works", works}, {"findings", std::move(document)}}, rows);
  return works ? kDone : kFailed;
}

}  // namespace qm::cli
