#include "api/vmm/program/options.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <span>
#include <string_view>

#include <fmt/format.h>

#include "vmm/result/result.h"
#include "vmm/text/number.h"
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
  std::string consoleLimit;
  std::string hypervisor = "auto";
  std::string clock = "host";
  std::string seed;
  std::string hostCounter;
  std::string inputScript;
  std::string seccompLevel;
  std::string control;
  std::string slot;
};

// One of text and flag is there.
struct Option {
  std::string_view name, value, meaning;
  std::string Words::* text = nullptr;
  bool Words::* flag = nullptr;
};

// Read by hand: a VM's start is counted in milliseconds, of which a library for command lines takes its share in code
// that is paged in and thrown away.
constexpr std::array<Option, 15> kOptions{{
    {"--api-sock", "PATH", "Unix socket of the REST interface; must not be there", &Words::apiSocket},
    {"--config-file", "PATH", "JSON file of a machine that is started at once", &Words::configFile},
    {"--no-api", "", "No REST interface; needs --config-file", nullptr, &Words::noApi},
    {"--control", "N", "Descriptor of the control channel, where a daemon has started this", &Words::control},
    {"--slot", "N", "Descriptor of the slot page on which this tells how it goes, likewise", &Words::slot},
    {"--id", "NAME", "The machine's name: up to 64 letters, digits and '-'", &Words::id},
    {"--log-level", "LEVEL", "debug, info, warning, error [info]", &Words::logLevel},
    {"--console", "PATH", "Where the guest's serial console goes: a file, or - for standard output [-]",
     &Words::console},
    {"--console-limit", "MIB", "How much of it is written before the rest is lost; 0 for all of it [0]",
     &Words::consoleLimit},
    {"--hypervisor", "NAME", "auto: KVM once a probe guest ran at hardware speed, else soft; kvm; soft [auto]",
     &Words::hypervisor},
    {"--clock", "CLOCK", "host, or instructions: the CPU in software counts time by what one vCPU executed [host]",
     &Words::clock},
    {"--seed", "N", "Of all random numbers, with --clock instructions [0]", &Words::seed},
    {"--host-counter", "WORD", "The host's counter of time as measured before: tsc:KHZ or monotonic:1000000 [measured]",
     &Words::hostCounter},
    {"--input-script", "FILE", "What the host does at which nanosecond of guest time, with --clock instructions",
     &Words::inputScript},
    {"--seccomp-level", "N", "System calls: 0 all, 1 those that each thread needs, 2 with their arguments [2]",
     &Words::seccompLevel},
}};

std::string helpText() {
  std::string help =
      "One microVM, behind Firecracker's REST interface on a Unix socket.\nUsage: quickmatch-vmm [OPTIONS], or "
      "quickmatch-vmm jail [OPTIONS] [-- ARGUMENT…]\n\n";
  for (const Option& option : kOptions)
    help += fmt::format("  {:<22} {}\n", fmt::format("{} {}", option.name, option.value), option.meaning);
  help += fmt::format("  {:<22} {}\n  {:<22} {}\n", "--help", "This", "--version", "Which version this is");
  return help;
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

Result<std::uint64_t> readSeed(const std::string& word) {
  const auto seed = numberFrom<std::uint64_t>(word);
  if (!seed) return refused(fmt::format("--seed is a number below 2^64, not \"{}\"", word));
  return *seed;
}

Result<std::uint64_t> readMebibytes(std::string_view option, const std::string& word) {
  constexpr std::uint64_t kMost = 1U << 20U;
  const auto mebibytes = numberFrom<std::uint64_t>(word);
  if (!mebibytes || *mebibytes > kMost)
    return refused(fmt::format("{} is a number of MiB up to {}, not \"{}\"", option, kMost, word));
  return *mebibytes << 20U;
}

Result<int> readDescriptor(std::string_view option, const std::string& word) {
  const auto number = numberFrom<int>(word);
  if (!number || *number < 3)
    return refused(fmt::format("{} is the number of a descriptor from 3 on, not \"{}\"", option, word));
  return *number;
}

Status readHypervisor(const Words& words, Options& options) {
  options.hypervisor = TRY(hypervisorNamed(words.hypervisor));
  if (!words.hostCounter.empty())
    options.soft.hostCounter = TRY(soft::hostCounterOf(words.hostCounter).during("reading --host-counter"));
  if (words.clock == "host") {
    if (!words.seed.empty()) return refused("--seed needs --clock instructions");
    if (!words.inputScript.empty()) return refused("--input-script needs --clock instructions");
    return {};
  }
  if (words.clock != "instructions")
    return refused(fmt::format("there is no clock \"{}\"; there are host and instructions", words.clock));
  if (options.hypervisor == HypervisorChoice::kvm)
    return refused("--clock instructions is the CPU in software's: it excludes --hypervisor kvm");
  options.hypervisor = HypervisorChoice::soft;
  options.soft.clock = SoftClock::instructions;
  if (!words.seed.empty()) options.soft.seed = TRY(readSeed(words.seed));
  options.inputScript = words.inputScript;
  return {};
}

Result<Options> optionsOf(const Words& words) {
  if (words.apiSocket.empty() && words.configFile.empty() && words.control.empty())
    return refused("nothing to do: name --api-sock, --config-file or both");
  if (words.noApi && words.configFile.empty()) return refused("--no-api needs --config-file");
  if (words.noApi && !words.apiSocket.empty()) return refused("--no-api and --api-sock exclude each other");
  Options options{.apiSocket = words.apiSocket, .configFile = words.configFile};
  if (!words.id.empty()) {
    TRY(checkId(words.id));
    options.id = words.id;
  }
  if (!words.control.empty()) options.control = TRY(readDescriptor("--control", words.control));
  if (!words.slot.empty()) options.slot = TRY(readDescriptor("--slot", words.slot));
  options.logLevel = TRY(levelNamed(words.logLevel));
  if (words.console != "-") options.console = words.console;
  if (!words.consoleLimit.empty()) options.consoleBytes = TRY(readMebibytes("--console-limit", words.consoleLimit));
  TRY(readHypervisor(words, options));
  if (!words.seccompLevel.empty()) options.seccomp = TRY(seccomp::levelNamed(words.seccompLevel));
  return options;
}

// "--name value", "--name=value" or "--flag".
Result<Words> readWords(std::span<const char* const> given) {
  Words words;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const std::string_view word(given[i]);
    const std::string_view name = word.substr(0, word.find('='));
    const auto option = std::ranges::find(kOptions, name, &Option::name);
    if (option == kOptions.end()) return refused(fmt::format("there is no option \"{}\"; see --help", name));
    const bool hasValue = name.size() < word.size();
    if (option->flag != nullptr) {
      if (hasValue) return refused(fmt::format("{} takes no value", name));
      words.*option->flag = true;
    } else if (hasValue) {
      words.*option->text = word.substr(name.size() + 1);
    } else if (++i < given.size()) {
      words.*option->text = given[i];
    } else {
      return refused(fmt::format("{} needs a value", name));
    }
  }
  return words;
}

Result<Options> optionsOf(std::span<const char* const> given) {
  const Words words = TRY(readWords(given));
  return optionsOf(words);
}

ParsedOptions said(std::string_view text) {
  fmt::print("{}", text);
  return {.options = {}, .exitCode = 0};
}

}  // namespace

ParsedOptions parseOptions(int count, const char* const* given) {
  const std::span words = std::span(given, static_cast<std::size_t>(count)).subspan(1);
  const auto asks = [&](std::string_view word) { return std::ranges::find(words, word) != words.end(); };
  if (asks("--help") || asks("-h")) return said(helpText());
  if (asks("--version")) return said(fmt::format("quickmatch-vmm {}\n", kVersion));
  Result<Options> options = optionsOf(words);
  if (options.has_value()) return {.options = *std::move(options)};
  fmt::print(stderr, "quickmatch-vmm: {}\n", options.error().text());
  return {.options = {}, .exitCode = 2};
}

}  // namespace qm::vmm
