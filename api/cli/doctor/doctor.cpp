#include <filesystem>
#include <system_error>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "api/cli/cells.h"
#include "api/cli/command.h"
#include "api/cli/doctor/confinement_checks.h"
#include "api/cli/doctor/host_checks.h"
#include "api/cli/doctor/hypervisor_check.h"
#include "api/cli/doctor/jail_check.h"
#include "api/cli/doctor/network_check.h"
#include "vmm/cgroup/ground.h"
#include "vmm/os/file_descriptor.h"
#include "vmm/os/landlock.h"
#include "vmm/spawner/slot_probe.h"

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
  if (health.has_value()) {
    return {.what = "daemon",
            .found = fmt::format("answers on {}, hypervisor {}", api.socket().string(), cell(*health, "hypervisor"))};
  }
  return {.what = "daemon",
          .state = Finding::State::limited,
          .found = "does not answer on " + api.socket().string(),
          .remedy = "Start quickmatchd, or name its socket with --socket or QUICKMATCH_SOCKET."};
}

// Tried for this user, from this group: the daemon's may allow more or less.
Finding cgroupsFinding() {
  const CgroupGround ground = CgroupGround::find();
  std::string held;
  for (const CgroupGround::Place& place : ground.places()) {
    if (place.controllers.empty()) continue;
    if (held.empty()) held = place.version == CgroupVersion::v1 ? "version 1:" : "version 2:";
    for (const Controller controller : place.controllers) held += std::string(" ") + nameOf(controller);
  }
  std::vector<std::string> lacks;
  for (const CgroupGround::Lack& lack : ground.lacks()) lacks.push_back(lack.sentence);
  return checkCgroups(held, lacks);
}

Finding seccompFinding() {
  const std::optional<std::string> actions = read("/proc/sys/kernel/seccomp/actions_avail");
  return checkSeccomp(actions);
}

Finding userNamespacesFinding() {
  const std::optional<std::string> most = read("/proc/sys/user/max_user_namespaces");
  const std::optional<std::string> unprivileged = read("/proc/sys/kernel/unprivileged_userns_clone");
  const std::optional<std::string> restricted = read("/proc/sys/kernel/apparmor_restrict_unprivileged_userns");
  return checkUserNamespaces({.most = most, .unprivileged = unprivileged, .restricted = restricted});
}

std::vector<Finding> examine(DaemonApi& api) {
  // The jail and the network slot first: their probes want a process of one thread, which KVM's leaves behind.
  std::vector<Finding> findings = checkJail(probeJail());
  // With this user's rights, too: the daemon's spawner may have more or fewer.
  findings.push_back(checkNetworkSlots(spawner::probeNetworkSlot()));
  const BackendProbes probes;
  const std::vector<Finding> hypervisors = checkHypervisors(probes.kvm(), probes.soft());
  findings.insert(findings.begin(), hypervisors.begin(), hypervisors.end());
  findings.push_back(checkKernelRelease(read("/proc/sys/kernel/osrelease").value_or("")));
  findings.push_back(cgroupsFinding());
  findings.push_back(checkLandlock(landlockVersion()));
  findings.push_back(seccompFinding());
  findings.push_back(userNamespacesFinding());
  findings.push_back(checkOpenFiles(read("/proc/self/limits").value_or("")));
  findings.push_back(checkMemory(read("/proc/meminfo").value_or("")));
  findings.push_back(checkDisk(freeBytesAt(api.socket().parent_path())));
  findings.push_back(daemonFinding(api));
  return findings;
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
