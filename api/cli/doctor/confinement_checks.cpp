#include "api/cli/doctor/confinement_checks.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "vmm/os/landlock.h"
#include "vmm/seccomp/thread_filter.h"

namespace qm::cli {

namespace {

using State = Finding::State;

bool isZero(const std::optional<std::string_view>& text) {
  return text && text->starts_with('0');
}

bool isOne(const std::optional<std::string_view>& text) {
  return text && text->starts_with('1');
}

}  // namespace

Finding checkCgroups(std::string_view held, const std::vector<std::string>& lacks) {
  Finding finding{.what = "cgroups", .found = held.empty() ? "none that VMs can be held by" : std::string(held)};
  if (lacks.empty()) return finding;
  finding.state = State::limited;
  finding.remedy = fmt::format("{}", fmt::join(lacks, " "));
  return finding;
}

Finding checkLandlock(int version) {
  if (version == 0) {
    return {.what = "Landlock",
            .state = State::limited,
            .found = "none",
            .remedy =
                "Use Linux 5.13 or newer, booted with landlock among lsm=: it keeps a VMM from making links, "
                "devices and pipes."};
  }
  const char* scopes =
      version >= kLandlockScopes ? "with scopes" : "without scopes, so each jail has a network of its own";
  return {.what = "Landlock", .found = fmt::format("version {}, {}", version, scopes)};
}

Finding checkSeccomp(std::optional<std::string_view> actions) {
  const bool isThere =
      actions && actions->find("trap") != std::string_view::npos && actions->find("errno") != std::string_view::npos;
  if (!isThere) {
    return {.what = "seccomp",
            .state = State::limited,
            .found = "no filters: level 0 only",
            .remedy =
                "Use a kernel with CONFIG_SECCOMP_FILTER; until then quickmatchd starts with --seccomp-level 0 only."};
  }
  const bool isUsable = seccomp::defaultLevel() != seccomp::Level::off;
  return {.what = "seccomp", .found = isUsable ? "levels 0, 1, 2" : "level 0 only, since this build has a sanitizer"};
}

Finding checkUserNamespaces(const UserNamespaceSettings& settings) {
  Finding finding{.what = "user namespaces", .found = "for everybody"};
  if (isZero(settings.most)) {
    finding.found = "for nobody";
    finding.remedy = "Set user.max_user_namespaces above 0, or run quickmatchd as root, which needs none.";
  } else if (isZero(settings.unprivileged)) {
    finding.found = "for root only";
    finding.remedy = "Set kernel.unprivileged_userns_clone=1, or run quickmatchd as root, which needs none.";
  } else if (isOne(settings.restricted)) {
    finding.found = "for root and for programs that AppArmor names";
    finding.remedy =
        "Set kernel.apparmor_restrict_unprivileged_userns=0, or run quickmatchd as root, which needs none.";
  }
  if (!finding.remedy.empty()) finding.state = State::limited;
  return finding;
}

}  // namespace qm::cli
