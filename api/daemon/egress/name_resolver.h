// What a name leads to, as the host's resolver has it: its hosts file, its name servers. It waits as long as these do,
// tens of seconds where none answers, and nothing ends it before.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "vmm/result/result.h"

namespace qm {

// Addresses as text, the best first. Called from any thread, also by several at once.
using NameResolver = std::function<Result<std::vector<std::string>>(const std::string& name)>;

Result<std::vector<std::string>> resolveByHost(const std::string& name);

}  // namespace qm
