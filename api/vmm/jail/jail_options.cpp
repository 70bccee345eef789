#include "api/vmm/jail/jail_options.h"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

#include "vmm/text/number.h"

namespace qm::vmm {

namespace {

using Take = Status (*)(JailOptions&, std::string_view);

Error refused(std::string sentence) {
  return {Remedy::fixInput, std::move(sentence)};
}

Result<std::uint64_t> numberIn(std::string_view word, std::uint64_t most) {
  const auto number = numberFrom<std::uint64_t>(word);
  if (!number || *number > most) return refused(fmt::format("\"{}\" is no number up to {}", word, most));
  return *number;
}

Status takeId(JailOptions& options, std::string_view word) {
  const auto isFine = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
  };
  constexpr std::size_t kLongestId = 64;
  if (word.empty() || word.size() > kLongestId || !std::ranges::all_of(word, isFine))
    return refused("--id has 1 to 64 letters, digits and '-'");
  options.id = word;
  return {};
}

Result<std::filesystem::path> absolutePath(std::string_view word) {
  std::filesystem::path path(word);
  if (!path.is_absolute() || path.lexically_normal() != path)
    return refused(fmt::format("{} is no absolute path without '.' and '..'", word));
  return path;
}

Status takeUser(JailOptions& options, std::string_view word) {
  // The last number means "leave it as it is" to setresuid.
  options.uid = static_cast<uid_t>(TRY(numberIn(word, static_cast<uid_t>(-1) - 1U)));
  return {};
}

Status takeGroup(JailOptions& options, std::string_view word) {
  options.gid = static_cast<gid_t>(TRY(numberIn(word, static_cast<gid_t>(-1) - 1U)));
  return {};
}

// A name below the hierarchy, not a way out of it.
bool isName(std::string_view word) {
  return !word.empty() && word.find('/') == std::string_view::npos && word != "." && word != "..";
}

Status takeCgroup(JailOptions& options, std::string_view word) {
  const std::size_t sign = word.find('=');
  const std::string_view file = word.substr(0, sign);
  if (sign == std::string_view::npos || !isName(file) || file.find('.') == std::string_view::npos)
    return refused(fmt::format("--cgroup is FILE=VALUE, as in memory.max=1G; this is not: {}", word));
  options.cgroups.push_back({.file = std::string(file), .value = std::string(word.substr(sign + 1))});
  return {};
}

Status takeCgroupVersion(JailOptions& options, std::string_view word) {
  if (word != "1" && word != "2") return refused("--cgroup-version is 1 or 2");
  options.cgroupVersion = word == "1" ? CgroupVersion::v1 : CgroupVersion::v2;
  return {};
}

Status takeParentCgroup(JailOptions& options, std::string_view word) {
  if (!isName(word)) return refused("--parent-cgroup is one name");
  options.parentCgroup = word;
  return {};
}

Status takeLimit(JailOptions& options, std::string_view word) {
  constexpr std::uint64_t kMost = std::uint64_t{1} << 62U;
  const std::size_t sign = word.find('=');
  const std::string_view name = word.substr(0, sign);
  if (sign == std::string_view::npos || (name != "fsize" && name != "no-file"))
    return refused("--resource-limit is fsize=BYTES or no-file=COUNT");
  const std::uint64_t most = TRY(numberIn(word.substr(sign + 1), kMost));
  // The way to the program takes some numbers above those that it is given (vmm/os/program.h).
  constexpr std::uint64_t kFewestFiles = 256;
  if (name == "no-file" && most < kFewestFiles) return refused(fmt::format("no-file is {} or more", kFewestFiles));
  (name == "fsize" ? options.limits.fileBytes : options.limits.openFiles) = most;
  return {};
}

struct Option {
  std::string_view name, value, meaning;
  Take take;
};

constexpr std::array<Option, 12> kOptions{{
    {"--id", "NAME", "The VM's name: up to 64 letters, digits and '-'", takeId},
    {"--exec-file", "PATH", "The program, linked statically",
     [](JailOptions& options, std::string_view word) -> Status {
       options.execFile = TRY(absolutePath(word));
       return {};
     }},
    {"--uid", "N", "Whom the program runs as", takeUser},
    {"--gid", "N", "And in which group", takeGroup},
    {"--chroot-base-dir", "PATH", "Its root is PATH/PROGRAM/NAME/root [/srv/jailer]",
     [](JailOptions& options, std::string_view word) -> Status {
       options.chrootBase = TRY(absolutePath(word));
       return {};
     }},
    {"--cgroup", "FILE=VALUE", "A setting of its control group; may be repeated", takeCgroup},
    {"--cgroup-version", "N", "1 or 2 [1]", takeCgroupVersion},
    {"--parent-cgroup", "NAME", "The group is NAME/ID [the program's name]", takeParentCgroup},
    {"--resource-limit", "NAME=N", "fsize (bytes of a file), no-file (descriptors, 2048); may be repeated", takeLimit},
    {"--netns", "PATH", "The network namespace that it joins",
     [](JailOptions& options, std::string_view word) -> Status {
       options.netns = TRY(absolutePath(word));
       return {};
     }},
    {"--new-pid-ns", "", "A pid namespace of its own; its pid is in PROGRAM.pid in its root",
     [](JailOptions& options, std::string_view) -> Status {
       options.newPidNamespace = true;
       return {};
     }},
    {"--daemonize", "", "A session of its own, its standard streams are /dev/null",
     [](JailOptions& options, std::string_view) -> Status {
       options.daemonize = true;
       return {};
     }},
}};

// The words that an option takes beside its name: 0 or 1.
Result<std::size_t> takeOption(JailOptions& options, std::span<const char* const> words) {
  const std::string_view word(words.front());
  const std::string_view name = word.substr(0, word.find('='));
  const auto* const option = std::ranges::find(kOptions, name, &Option::name);
  if (option == kOptions.end()) return refused(fmt::format("there is no option \"{}\"; see jail --help", name));
  const bool isJoined = name.size() < word.size();
  if (option->value.empty() || isJoined) {
    if (option->value.empty() && isJoined) return refused(fmt::format("{} takes no value", name));
    TRY(option->take(options, isJoined ? word.substr(name.size() + 1) : std::string_view()));
    return std::size_t{0};
  }
  if (words.size() < 2) return refused(fmt::format("{} needs a value", name));
  TRY(option->take(options, words[1]));
  return std::size_t{1};
}

}  // namespace

Result<JailOptions> parseJailOptions(std::span<const char* const> words) {
  JailOptions options;
  bool hasUser = false;
  bool hasGroup = false;
  while (!words.empty()) {
    const std::string_view word(words.front());
    if (word == "--") {
      options.arguments.assign(words.begin() + 1, words.end());
      break;
    }
    hasUser = hasUser || word.starts_with("--uid");
    hasGroup = hasGroup || word.starts_with("--gid");
    const std::size_t more = TRY(takeOption(options, words));
    words = words.subspan(1 + more);
  }
  if (options.id.empty() || options.execFile.empty() || !hasUser || !hasGroup)
    return refused("--id, --exec-file, --uid and --gid must be named");
  if (options.parentCgroup.empty()) options.parentCgroup = options.execFile.filename();
  return options;
}

std::string jailHelp() {
  std::string help =
      "A program in a jail of its own, by the options of Firecracker's jailer.\n"
      "Usage: quickmatch-vmm jail [OPTIONS] [-- ARGUMENT…]\n\n";
  for (const Option& option : kOptions)
    help += fmt::format("  {:<24} {}\n", fmt::format("{} {}", option.name, option.value), option.meaning);
  return help;
}

}  // namespace qm::vmm
