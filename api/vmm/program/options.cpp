#include "api/vmm/program/options.h"

#include <algorithm>
#include <cstdio>
#include <map>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "vmm/result/result.h"
#include "vmm/version/version.h"

namespace qm::vmm {

namespace {

// As they are given; empty: not given.
struct Words {
  std::string apiSocket;
  std::string configFile;
  bool noApi = false;
  std::string id;
  std::string logLevel = "info";
  std::string console = "-";
};

void describe(CLI::App& app, Words& words) {
  app.set_version_flag("--version", fmt::format("quickmatch-vmm {}", kVersion));
  app.add_option("--api-sock", words.apiSocket, "Unix socket of the REST interface; must not be there");
  app.add_option("--config-file", words.configFile, "JSON file of a machine that is started at once");
  app.add_flag("--no-api", words.noApi, "No REST interface; needs --config-file");
  app.add_option("--id", words.id, "The machine's name: up to 64 letters, digits and '-'");
  app.add_option("--log-level", words.logLevel, "debug, info, warning, error")->capture_default_str();
  app.add_option("--console", words.console, "Where the guest's serial console goes: a file, or - for standard output")
      ->capture_default_str();
}

Error refused(std::string sentence) {
  return Error(Remedy::fixInput, std::move(sentence));
}

Status checkId(const std::string& id) {
  const auto isFine = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
  };
  constexpr std::size_t kLongestId = 64;
  if (id.empty() || id.size() > kLongestId || !std::ranges::all_of(id, isFine))
    return refused("--id has 1 to 64 letters, digits and '-'");
  return {};
}

Result<LogLevel> levelNamed(const std::string& name) {
  static const std::map<std::string, LogLevel> kLevels{
      {"debug", LogLevel::debug}, {"info", LogLevel::info}, {"warning", LogLevel::warning}, {"error", LogLevel::error}};
  const auto found = kLevels.find(name);
  if (found == kLevels.end()) return refused(fmt::format("there is no log level \"{}\"", name));
  return found->second;
}

Result<Options> optionsOf(const Words& words) {
  if (words.apiSocket.empty() && words.configFile.empty())
    return refused("nothing to do: name --api-sock, --config-file or both");
  if (words.noApi && words.configFile.empty()) return refused("--no-api needs --config-file");
  if (words.noApi && !words.apiSocket.empty()) return refused("--no-api and --api-sock exclude each other");
  Options options{.apiSocket = words.apiSocket, .configFile = words.configFile};
  if (!words.id.empty()) {
    TRY(checkId(words.id));
    options.id = words.id;
  }
  options.logLevel = TRY(levelNamed(words.logLevel));
  if (words.console != "-") options.console = words.console;
  return options;
}

}  // namespace

ParsedOptions parseOptions(int count, const char* const* given) {
  CLI::App app("One microVM, behind Firecracker's REST interface on a Unix socket.", "quickmatch-vmm");
  Words words;
  describe(app, words);
  try {
    app.parse(count, given);
  } catch (const CLI::ParseError& stop) {
    return {.options = {}, .exitCode = app.exit(stop)};
  }
  Result<Options> options = optionsOf(words);
  if (options.has_value()) return {.options = *std::move(options)};
  fmt::print(stderr, "quickmatch-vmm: {}\n", options.error().text());
  return {.options = {}, .exitCode = 2};
}

}  // namespace qm::vmm
