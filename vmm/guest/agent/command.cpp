#include "vmm/guest/agent/command.h"

#include <algorithm>
#include <optional>

#include "vmm/guest/agent/account.h"

namespace qm::agent {

namespace {

// "NAME=" of "NAME=VALUE".
std::string_view prefixOf(std::string_view variable) {
  return variable.substr(0, variable.find('=') + 1);
}

std::string_view pathIn(const std::vector<std::string>& env) {
  constexpr std::string_view kName = "PATH=";
  const auto found =
      std::ranges::find_if(env, [&](const std::string& variable) { return variable.starts_with(kName); });
  return found == env.end() ? kDefaultPath : std::string_view(*found).substr(kName.size());
}

Result<std::optional<Account>> accountOf(const std::string& user) {
  if (user.empty()) return std::optional<Account>();
  // An image without these files has users with numbers only.
  const std::string passwd = readKernelFile("/etc/passwd").value_or("");
  const std::string group = readKernelFile("/etc/group").value_or("");
  Account account = TRY(findAccount(passwd, group, user));
  return std::optional(std::move(account));
}

}  // namespace

std::vector<std::string> executablesOf(const std::string& name, std::string_view path) {
  if (name.find('/') != std::string::npos) return {name};
  std::vector<std::string> executables;
  while (!name.empty()) {
    const std::size_t end = path.find(':');
    const std::string_view folder = path.substr(0, end);
    // An empty folder is the working directory (environ(7)).
    executables.push_back(folder.empty() ? "./" + name : std::string(folder) + "/" + name);
    if (end == std::string_view::npos) break;
    path.remove_prefix(end + 1);
  }
  return executables;
}

std::vector<std::string> overlaid(std::vector<std::string> base, const std::vector<std::string>& over) {
  for (const std::string& variable : over) {
    const std::string_view prefix = prefixOf(variable);
    const auto found = std::ranges::find_if(base, [&](const std::string& known) { return prefixOf(known) == prefix; });
    if (found == base.end()) {
      base.push_back(variable);
    } else {
      *found = variable;
    }
  }
  return base;
}

Result<PipedPlan> plan(const Run& run) {
  const std::optional<Account> account = TRY(accountOf(run.user));
  PipedPlan plan;
  plan.argv = run.argv;
  plan.env = overlaid({"PATH=" + std::string(kDefaultPath), "HOME=" + (account.has_value() ? account->home : "/root"),
                       "USER=" + (account.has_value() ? account->name : "root")},
                      run.env);
  plan.executables = executablesOf(run.argv.front(), pathIn(plan.env));
  plan.folder = run.cwd.empty() ? "/" : run.cwd;
  if (account.has_value()) plan.credentials = account->credentials;
  return plan;
}

}  // namespace qm::agent
