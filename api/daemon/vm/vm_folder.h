// What one VM leaves on disk while it lives, and what tells the next daemon whose it was.
//
//   STATE/vms/ID/             the VM's own: the VMM, which may be hostile, writes here
//     vsock.sock              the host's side of the guest's vsock; of a guest after a reset vsock-1.sock, and so on
//     console.log             what the VMM says, and the guest's serial console
//   STATE/vms/ID.json         which process it is, out of its reach: {"version": 1, "pid", "start_ticks", "boot_id"}
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "vmm/os/process.h"
#include "vmm/result/result.h"

namespace qm {

// Names relative to the folder, which is the VMM's working directory, in a jail and without one.
inline constexpr std::string_view kVsockName = "vsock.sock";
inline constexpr std::string_view kConsoleName = "console.log";
inline constexpr std::string_view kSavedStateName = "saved-state";
inline constexpr std::string_view kSavedMemoryName = "saved-memory";

// The socket of the first guest (0), or of one after so many resets. None has a name again: who is late for one guest
// does not meet the next.
std::string vsockName(std::uint64_t guest);

struct VmFolder {
  std::filesystem::path path;

  std::filesystem::path vsock(std::uint64_t guest = 0) const { return path / vsockName(guest); }
  std::filesystem::path console() const { return path / kConsoleName; }
  std::filesystem::path record() const { return path.native() + ".json"; }
};

// Makes VMS/ID, which must not exist, mode 0700.
Result<VmFolder> makeVmFolder(const std::filesystem::path& vms, std::string_view id);
// And its record.
void removeVmFolder(const VmFolder& folder);

// Writes the record, whole or not at all; the process is not reaped meanwhile.
Status rememberProcess(const VmFolder& folder, pid_t pid);
// The process that the record tells of, if it still runs; none: it has ended, or the host was started anew since.
// Where the daemon was killed before it wrote there is a blank at most, which ends by itself when its control channel
// does.
Result<std::optional<Process>> findProcess(const VmFolder& folder);

// The console's last bytes on one line, for an error's sentence; empty when there is nothing.
std::string lastWords(const VmFolder& folder);

}  // namespace qm
