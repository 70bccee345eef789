#include "api/daemon/config/daemon_config.h"

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "api/daemon/rest/template_json.h"
#include "api/json/fields.h"

namespace qm {

namespace {

// A VM's socket is STATE/vms/vm-0123456789abcdef/vsock.sock, and sun_path has 107 bytes.
constexpr std::size_t kLongestState = 60;
constexpr std::uint64_t kMostThreads = 1024;
constexpr std::uint64_t kMostSlots = 1000;

Status readPath(Fields& fields, std::string_view name, std::filesystem::path& path) {
  if (!fields.has(name)) return {};
  path = TRY(fields.text(name));
  if (!path.is_absolute()) {
    return Error(Remedy::fixInput,
                 fmt::format("\"{}\" must be an absolute path, which {} is not", name, path.string()));
  }
  return {};
}

Status readPaths(Fields& fields, DaemonConfig& config) {
  const bool ownSocket = fields.has("socket");
  TRY(readPath(fields, "state", config.state));
  if (fields.has("state") && !ownSocket) config.socket = apiSocketIn(config.state);
  TRY(readPath(fields, "socket", config.socket));
  TRY(readPath(fields, "vmm", config.vmm));
  TRY(readPath(fields, "spawner", config.spawner));
  const std::vector<std::string> folders = TRY(fields.texts("folders"));
  for (const std::string& folder : folders) addFolder(config, folder);
  return {};
}

Status readChoices(Fields& fields, DaemonConfig& config) {
  config.listen = TRY(fields.text("listen", config.listen));
  if (fields.has("hypervisor")) {
    const std::string name = TRY(fields.text("hypervisor"));
    config.hypervisor = TRY(hypervisorNamed(name));
  }
  if (fields.has("jail")) {
    const std::string name = TRY(fields.text("jail"));
    config.jail = TRY(jailNamed(name));
  }
  if (fields.has("cgroups")) {
    const std::string name = TRY(fields.text("cgroups"));
    config.cgroups = TRY(cgroupsNamed(name));
  }
  if (fields.has("seccomp_level")) {
    const std::uint64_t level = TRY(fields.number("seccomp_level", {.most = 2}, 2));
    config.seccomp = TRY(seccomp::levelNamed(std::to_string(level)));
  }
  config.networkSlots =
      static_cast<std::uint32_t>(TRY(fields.number("network_slots", {.most = kMostSlots}, config.networkSlots)));
  config.requestThreads = static_cast<std::uint32_t>(
      TRY(fields.number("request_threads", {.least = 1, .most = kMostThreads}, config.requestThreads)));
  return {};
}

Status readPool(const boost::json::value& value, pool::PoolSettings& settings) {
  constexpr std::uint64_t kMost = 1000;
  constexpr std::uint64_t kLongestTtl = 30ULL * 86'400;
  const auto longest = static_cast<std::uint64_t>(settings.longestTtl.count());
  Fields fields = TRY(Fields::of(value));
  settings.refillsAtOnce = static_cast<std::uint32_t>(
      TRY(fields.number("refills_at_once", {.least = 1, .most = kMost}, settings.refillsAtOnce)));
  settings.blanks = static_cast<std::uint32_t>(TRY(fields.number("blanks", {.most = kMost}, settings.blanks)));
  settings.longestTtl =
      std::chrono::seconds(TRY(fields.number("longest_ttl_seconds", {.least = 1, .most = kLongestTtl}, longest)));
  return fields.finish();
}

Status readTemplates(const boost::json::value& value, DaemonConfig& config) {
  if (!value.is_object()) return Error(Remedy::fixInput, "\"templates\" must be an object: recipes by name");
  for (const auto& [name, recipe] : value.get_object()) {
    config.templates.push_back(TRY(rest::recipeFromJson(std::string(name), recipe).during(std::string(name))));
  }
  return {};
}

}  // namespace

Result<JailChoice> jailNamed(std::string_view name) {
  if (name == "namespaces") return JailChoice::namespaces;
  if (name == "none") return JailChoice::none;
  return Error(Remedy::fixInput, fmt::format("there is no jail \"{}\"; there are namespaces and none", name));
}

Result<CgroupUse> cgroupsNamed(std::string_view name) {
  if (name == "required") return CgroupUse::required;
  if (name == "where-possible") return CgroupUse::wherePossible;
  if (name == "off") return CgroupUse::off;
  return Error(Remedy::fixInput, fmt::format("\"cgroups\" may be required, where-possible or off, not \"{}\"", name));
}

DaemonConfig defaultConfig(const Environment& environment, const std::filesystem::path& programs) {
  DaemonConfig config{.state = defaultStateFolder(environment)};
  config.socket = apiSocketIn(config.state);
  config.vmm = programs / "quickmatch-vmm";
  config.spawner = programs / "quickmatch-spawner";
  return config;
}

void addFolder(DaemonConfig& config, const std::filesystem::path& folder) {
  if (std::ranges::find(config.folders, folder) == config.folders.end()) config.folders.push_back(folder);
}

Result<DaemonConfig> configFromJson(std::string_view text, DaemonConfig base) {
  const boost::json::value value = TRY(parseJson(text));
  Fields fields = TRY(Fields::of(value));
  TRY(readPaths(fields, base));
  TRY(readChoices(fields, base));
  if (const boost::json::value* pool = fields.find("pool")) TRY(readPool(*pool, base.pool).during("pool"));
  if (const boost::json::value* templates = fields.find("templates")) {
    TRY(readTemplates(*templates, base).during("templates"));
  }
  TRY(fields.finish());
  return base;
}

Status check(const DaemonConfig& config) {
  if (config.state.native().size() > kLongestState) {
    return Error(
        Remedy::fixInput,
        fmt::format("the state folder's path must have at most {} bytes, so that sockets in it have a name that "
                    "the kernel takes: {}",
                    kLongestState, config.state.string()));
  }
  for (const std::filesystem::path& folder : config.folders) {
    if (!folder.is_absolute() || folder.lexically_normal() != folder) {
      return Error(Remedy::fixInput,
                   fmt::format("\"folders\" has {}, which is no absolute, plain path", folder.string()));
    }
  }
  return {};
}

}  // namespace qm
