#include "api/cli/doctor/host_checks.h"

#include <algorithm>
#include <charconv>
#include <string>

#include <fmt/format.h>

namespace qm::cli {

namespace {

using State = Finding::State;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\n";
  const std::size_t begin = std::min(text.find_first_not_of(kBlanks), text.size());
  const std::size_t end = text.find_last_not_of(kBlanks);
  return end == std::string_view::npos ? std::string_view() : text.substr(begin, end + 1 - begin);
}

// The number at the text's beginning, blanks skipped; 0 when there is none.
std::uint64_t numberAt(std::string_view text) {
  text = trimmed(text);
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// What follows `label` on its line; none when no line begins with it.
std::optional<std::string_view> lineAfter(std::string_view text, std::string_view label) {
  const std::size_t at = text.find(label);
  if (at == std::string_view::npos) return std::nullopt;
  text.remove_prefix(at + label.size());
  return trimmed(text.substr(0, text.find('\n')));
}

}  // namespace

Finding checkKernelRelease(std::string_view release) {
  release = trimmed(release);
  Finding finding{.what = "kernel", .found = fmt::format("Linux {}", release)};
  const std::uint64_t major = numberAt(release.substr(0, release.find('.')));
  const std::uint64_t minor = numberAt(release.substr(std::min(release.find('.') + 1, release.size())));
  // MADV_POPULATE_WRITE, with which a clone's pages are had in one batch, is the youngest call that is used: 5.14.
  const bool isOld = major < 5 || (major == 5 && minor < 14);
  if (isOld) {
    finding.state = State::missing;
    finding.remedy = "Use Linux 5.14 or newer.";
  }
  return finding;
}

Finding checkOpenFiles(std::string_view limits) {
  constexpr std::uint64_t kEnough = 4096;
  const auto line = lineAfter(limits, "Max open files");
  const std::uint64_t soft = line ? numberAt(*line) : 0;
  Finding finding{.what = "open files", .found = fmt::format("{} at once", soft)};
  if (soft < kEnough) {
    finding.state = State::limited;
    finding.remedy = fmt::format("Raise the limit (ulimit -n {}): each VM takes a few of the daemon's.", kEnough);
  }
  return finding;
}

Finding checkDisk(std::uint64_t freeBytes) {
  constexpr std::uint64_t kEnough = 2ULL << 30U;
  Finding finding{.what = "disk", .found = fmt::format("{} MiB free", freeBytes >> 20U)};
  if (freeBytes < kEnough) {
    finding.state = State::limited;
    finding.remedy =
        "Free some space, or keep the state elsewhere (--state): a snapshot is as large as its guest's memory.";
  }
  return finding;
}

Finding checkMemory(std::string_view meminfo) {
  constexpr std::uint64_t kEnough = 512ULL << 10U;
  const auto line = lineAfter(meminfo, "MemAvailable:");
  const std::uint64_t kib = line ? numberAt(*line) : 0;
  Finding finding{.what = "memory", .found = fmt::format("{} MiB available", kib >> 10U)};
  if (kib < kEnough) {
    finding.state = State::limited;
    finding.remedy = "End other programs or use a larger machine: a template's guest is whole in memory once.";
  }
  return finding;
}

}  // namespace qm::cli
