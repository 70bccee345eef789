// Checks of what else holds a VM besides its jail's namespaces. Each takes what was read or tried: none is a file that
// is not there.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/cli/doctor/finding.h"

namespace qm::cli {

// By which controllers, "version 1: memory pids cpu", empty: by none; and a sentence for each that is missing.
Finding checkCgroups(std::string_view held, const std::vector<std::string>& lacks);
// As vmm/os/landlock.h has it; 0: the kernel has none.
Finding checkLandlock(int version);
// /proc/sys/kernel/seccomp/actions_avail
Finding checkSeccomp(std::optional<std::string_view> actions);

struct UserNamespaceSettings {
  std::optional<std::string_view> most;          // /proc/sys/user/max_user_namespaces
  std::optional<std::string_view> unprivileged;  // /proc/sys/kernel/unprivileged_userns_clone, Debian's
  std::optional<std::string_view> restricted;    // /proc/sys/kernel/apparmor_restrict_unprivileged_userns, Ubuntu's
};
// Of those who have no privileges: root's daemon needs none.
Finding checkUserNamespaces(const UserNamespaceSettings& settings);

}  // namespace qm::cli
