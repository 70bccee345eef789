#include "bench/thousand/traces.h"

#include <algorithm>
#include <charconv>
#include <system_error>

#include <fmt/format.h>

#include "bench/load/process_usage.h"
#include "vmm/os/file_descriptor.h"

namespace qm::bench {

namespace {

namespace fs = std::filesystem;

std::uint64_t foldersBelow(const fs::path& folder) {
  std::error_code failure;
  std::uint64_t count = 0;
  auto entry = fs::recursive_directory_iterator(folder, fs::directory_options::skip_permission_denied, failure);
  for (; !failure && entry != fs::recursive_directory_iterator(); entry.increment(failure)) {
    std::error_code gone;
    count += entry->is_directory(gone) ? 1U : 0U;
  }
  return count;
}

}  // namespace

std::string Traces::text() const {
  return fmt::format("{} processes, {} VM folders, {} cgroups, {} mounts", processes, folders, cgroups, mounts);
}

Traces countTraces(pid_t daemon, const fs::path& stateFolder) {
  std::error_code failure;
  Traces traces{.processes = descendantsOf(daemon).size(), .cgroups = foldersBelow("/sys/fs/cgroup")};
  for (const auto& entry : fs::directory_iterator(stateFolder / "vms", failure))
    traces.folders += entry.is_directory() ? 1U : 0U;
  constexpr std::size_t kLongest = 16ULL << 20U;
  const std::string mounts = readKernelFile("/proc/self/mounts", kLongest).value_or("");
  traces.mounts = static_cast<std::uint64_t>(std::ranges::count(mounts, '\n'));
  return traces;
}

Proportional proportionalSetOf(const std::vector<pid_t>& pids) {
  Proportional all;
  for (const pid_t pid : pids) {
    const Result<std::string> text = readKernelFile(fmt::format("/proc/{}/smaps_rollup", pid));
    if (!text.has_value()) continue;
    all.kib += numberAfter(*text, "\nPss:");
    ++all.processes;
  }
  return all;
}

Result<std::uint64_t> availableKib() {
  const std::string text = TRY(readKernelFile("/proc/meminfo"));
  return numberAfter(text, "\nMemAvailable:");
}

std::uint64_t numberAfter(std::string_view text, std::string_view key) {
  const std::size_t at = text.find(key);
  if (at == std::string_view::npos) return 0;
  text.remove_prefix(at + key.size());
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace qm::bench
