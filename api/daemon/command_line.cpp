#include "api/daemon/command_line.h"

#include <cstdio>
#include <filesystem>
#include <optional>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "vmm/os/file_descriptor.h"
#include "vmm/version/version.h"

namespace qm {

namespace {

// As they are given; empty: not given.
struct Options {
  std::string config;
  std::string state;
  std::string socket;
  std::optional<std::string> listen;  // an empty one is none
  std::string hypervisor;
  std::string jail;
  std::string cgroups;
  std::string seccompLevel;
  std::string vmm;
  std::string spawner;
  std::vector<std::string> folders;
  std::string logLevel = "info";
};

void describe(CLI::App& app, Options& options) {
  app.set_version_flag("--version", fmt::format("quickmatchd {}", kVersion));
  app.add_option("--config", options.config, "JSON file; options go before what it says");
  app.add_option("--state", options.state, "Folder of snapshots and VMs [$XDG_STATE_HOME/quickmatch]");
  app.add_option("--socket", options.socket, "Unix socket of the REST interface [STATE/api.sock]");
  app.add_option_function<std::string>(
      "--listen", [&options](const std::string& address) { options.listen = address; },
      "TCP address of the REST interface, or none [127.0.0.1:8180]");
  app.add_option("--hypervisor", options.hypervisor,
                 "auto: KVM once a probe guest ran, else soft; kvm: untried; soft [auto]");
  app.add_option("--jail", options.jail, "namespaces, or none: VMs are plain processes [namespaces]");
  app.add_option("--cgroups", options.cgroups,
                 "A control group for each VM: required, where-possible, off [where-possible]");
  app.add_option("--seccomp-level", options.seccompLevel,
                 "A VMM's system calls: 0 all, 1 those that each thread needs, 2 with their arguments [2]");
  app.add_option("--vmm", options.vmm, "The program quickmatch-vmm [beside this one]");
  app.add_option("--spawner", options.spawner, "The program quickmatch-spawner [beside this one]");
  app.add_option("--folder", options.folders, "A folder of kernels and images that jailed VMs see; may be repeated");
  app.add_option("--log-level", options.logLevel, "debug, info, warning, error")->capture_default_str();
}

Result<LogLevel> levelNamed(const std::string& name) {
  if (name == "debug") return LogLevel::debug;
  if (name == "info") return LogLevel::info;
  if (name == "warning") return LogLevel::warning;
  if (name == "error") return LogLevel::error;
  return Error(Remedy::fixInput, fmt::format("there is no log level \"{}\"", name));
}

// A path on the command line is relative to where the command was given.
std::filesystem::path absolute(const std::string& path) {
  return std::filesystem::absolute(path).lexically_normal();
}

Result<DaemonConfig> readConfigFile(const Options& options, DaemonConfig base) {
  if (options.config.empty()) return base;
  constexpr std::uint64_t kLongestConfig = 1ULL << 20U;
  const std::vector<std::byte> bytes = TRY(readWholeFile(options.config, kLongestConfig));
  return configFromJson({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, std::move(base))
      .during(options.config);
}

Result<DaemonCommand> commandOf(const Options& options, const Environment& environment) {
  std::error_code ignored;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", ignored);
  DaemonConfig config = TRY(readConfigFile(options, defaultConfig(environment, self.parent_path())));
  if (!options.state.empty()) {
    const bool socketFollows = config.socket == apiSocketIn(config.state);
    config.state = absolute(options.state);
    if (socketFollows) config.socket = apiSocketIn(config.state);
  }
  if (!options.socket.empty()) config.socket = absolute(options.socket);
  if (options.listen) config.listen = *options.listen == "none" ? "" : *options.listen;
  if (!options.hypervisor.empty()) config.hypervisor = TRY(hypervisorNamed(options.hypervisor));
  if (!options.jail.empty()) config.jail = TRY(jailNamed(options.jail));
  if (!options.cgroups.empty()) config.cgroups = TRY(cgroupsNamed(options.cgroups));
  if (!options.seccompLevel.empty()) config.seccomp = TRY(seccomp::levelNamed(options.seccompLevel));
  if (!options.vmm.empty()) config.vmm = absolute(options.vmm);
  if (!options.spawner.empty()) config.spawner = absolute(options.spawner);
  for (const std::string& folder : options.folders) addFolder(config, absolute(folder));
  TRY(check(config));
  const LogLevel level = TRY(levelNamed(options.logLevel));
  return DaemonCommand{.config = std::move(config), .logLevel = level};
}

}  // namespace

ParsedCommand parseDaemonCommand(int count, char** words, const Environment& environment) {
  CLI::App app("Keeps microVMs warm and hands them out over REST.", "quickmatchd");
  Options options;
  describe(app, options);
  try {
    app.parse(count, words);
  } catch (const CLI::ParseError& stop) {
    return {.exitCode = app.exit(stop)};
  }
  Result<DaemonCommand> command = commandOf(options, environment);
  if (command.has_value()) return {.command = std::move(command).value()};
  fmt::print(stderr, "quickmatchd: {}\n", command.error().text());
  return {.exitCode = 2};
}

}  // namespace qm
