#include "api/daemon/vm/left_over_vms.h"

#include <signal.h>

#include <chrono>
#include <system_error>
#include <vector>

#include "api/daemon/vm/vm_folder.h"

namespace qm {

namespace {

// Whether a process was there to be ended.
Result<bool> endProcessOf(const VmFolder& folder) {
  const std::optional<Process> process = TRY(findProcess(folder));
  if (!process) return false;
  TRY(process->signal(SIGKILL));
  constexpr std::chrono::seconds kPatience{10};
  if (!process->waitForEnd(std::chrono::steady_clock::now() + kPatience)) {
    return Error(Remedy::retry, "process " + std::to_string(process->pid()) + " does not end though it was killed");
  }
  return true;
}

}  // namespace

Result<LeftOver> endLeftOverVms(const std::filesystem::path& vms, const Log& log) {
  std::error_code failure;
  std::vector<VmFolder> folders;
  // Anything else there is a record whose folder is gone already, or one that was not written whole.
  std::vector<std::filesystem::path> rest;
  for (const auto& entry : std::filesystem::directory_iterator(vms, failure)) {
    if (entry.is_directory()) {
      folders.push_back({entry.path()});
    } else {
      rest.push_back(entry.path());
    }
  }
  if (failure && failure != std::errc::no_such_file_or_directory) {
    return systemError("reading " + vms.string(), failure.value());
  }
  LeftOver found;
  for (const VmFolder& folder : folders) {
    const Result<bool> ended = endProcessOf(folder);
    // A record that cannot be read names no process: the folder goes, and the log says why.
    if (!ended.has_value() && ended.error().remedy() == Remedy::retry) return ended.error();
    if (!ended.has_value()) log.warning("vm.left_over_unreadable", {{"error", ended.error().text()}});
    const bool hadProcess = ended.value_or(false);
    log.info("vm.left_over_ended",
             {{"id", folder.path.filename().string()}, {"process", hadProcess ? "killed" : "gone"}});
    removeVmFolder(folder);
    ++found.folders;
    if (hadProcess) ++found.processes;
  }
  for (const std::filesystem::path& file : rest) std::filesystem::remove(file, failure);
  return found;
}

}  // namespace qm
