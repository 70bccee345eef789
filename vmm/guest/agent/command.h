// From a Run to what the kernel is asked to start: where the program is, its environment, its user.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "vmm/guest/protocol/agent_values.h"
#include "vmm/os/piped_child.h"
#include "vmm/result/result.h"

namespace qm::agent {

inline constexpr std::string_view kDefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

// A Run without a user is started as whoever the agent is. fixInput: there is no such user.
Result<PipedPlan> plan(const Run& run);

// Where execvp(3) would look for `name`, in order.
std::vector<std::string> executablesOf(const std::string& name, std::string_view path);

// `base` with each variable of `over` put in its place or behind.
std::vector<std::string> overlaid(std::vector<std::string> base, const std::vector<std::string>& over);

}  // namespace qm::agent
