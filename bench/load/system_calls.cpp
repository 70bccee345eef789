#include "bench/load/system_calls.h"

#include <algorithm>
#include <charconv>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "bench/load/process_usage.h"
#include "vmm/os/file_descriptor.h"

namespace qm::bench {

namespace {

constexpr std::uint64_t kLongestTrace = 512ULL << 20U;
constexpr std::size_t kShown = 14;

double secondsOf(std::chrono::system_clock::time_point time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

// "1764112345.123456 close(3) = 0": the name, if this is a call that began in the stretch.
std::string_view callIn(std::string_view line, const TracedStretch& stretch) {
  double at = 0;
  const auto read = std::from_chars(line.data(), line.data() + line.size(), at);
  if (read.ec != std::errc() || at < secondsOf(stretch.from) || at >= secondsOf(stretch.to)) return {};
  line.remove_prefix(static_cast<std::size_t>(read.ptr - line.data()));
  if (!line.starts_with(' ')) return {};
  line.remove_prefix(1);
  const std::size_t end = line.find('(');
  const std::string_view name = line.substr(0, end);
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz0123456789_";
  return end == std::string_view::npos || name.find_first_not_of(kLetters) != std::string_view::npos
             ? std::string_view()
             : name;
}

std::set<pid_t> numbersIn(const std::filesystem::path& folder) {
  std::set<pid_t> numbers;
  std::error_code failure;
  for (const auto& entry : std::filesystem::directory_iterator(folder, failure)) {
    const std::string name = entry.path().filename();
    pid_t number = 0;
    const auto read = std::from_chars(name.data(), name.data() + name.size(), number);
    if (read.ec == std::errc() && read.ptr == name.data() + name.size()) numbers.insert(number);
  }
  return numbers;
}

std::string rows(std::string_view title, const CallCounts& counts, std::uint64_t requests) {
  std::vector<std::pair<std::uint64_t, std::string>> order;
  for (const auto& [name, count] : counts) order.emplace_back(count, name);
  std::ranges::sort(order, std::greater());
  const auto each = [&](std::uint64_t count) {
    return static_cast<double>(count) / static_cast<double>(std::max<std::uint64_t>(requests, 1));
  };
  std::string text = fmt::format("  {:<20} {:>8.1f} system calls to each request:", title, each(sum(counts)));
  for (std::size_t i = 0; i < std::min(order.size(), kShown); ++i)
    text += fmt::format(" {} {:.1f}", order[i].second, each(order[i].first));
  return text + "\n";
}

}  // namespace

void countCalls(std::string_view text, const TracedStretch& stretch, CallCounts& counts) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1);
    const std::string_view name = callIn(text.substr(0, end), stretch);
    if (!name.empty()) ++counts[std::string(name)];
    text.remove_prefix(end + 1);
  }
}

Result<ServiceThreads> threadsOf(pid_t daemon) {
  ServiceThreads threads{.daemon = numbersIn(fmt::format("/proc/{}/task", daemon))};
  if (threads.daemon.empty()) return Error(Remedy::giveUp, "quickmatchd has ended");
  for (const pid_t pid : numbersIn("/proc")) {
    const Result<std::string> text = readKernelFile(fmt::format("/proc/{}/stat", pid));
    if (!text.has_value()) continue;
    const Result<ProcessUsage> usage = readProcessStat(*text);
    if (usage.has_value() && usage->parent == daemon)
      threads.spawner.merge(numbersIn(fmt::format("/proc/{}/task", pid)));
  }
  return threads;
}

Result<ServiceCalls> countServiceCalls(const std::filesystem::path& folder, const ServiceThreads& threads,
                                       const TracedStretch& stretch) {
  constexpr std::string_view kName = "calls.";
  ServiceCalls calls;
  std::error_code failure;
  for (const auto& entry : std::filesystem::directory_iterator(folder, failure)) {
    const std::string name = entry.path().filename();
    pid_t number = 0;
    if (!name.starts_with(kName)) continue;
    std::from_chars(name.data() + kName.size(), name.data() + name.size(), number);
    const std::vector<std::byte> bytes = TRY(readWholeFile(entry.path(), kLongestTrace));
    CallCounts& counts = threads.daemon.contains(number)    ? calls.daemon
                         : threads.spawner.contains(number) ? calls.spawner
                                                            : calls.vms;
    countCalls({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, stretch, counts);
  }
  if (failure) return systemError("listing " + folder.string(), failure.value());
  return calls;
}

std::string table(const ServiceCalls& calls, std::uint64_t requests) {
  return rows("quickmatchd", calls.daemon, requests) + rows("quickmatch-spawner", calls.spawner, requests) +
         rows("VMs, made and ended", calls.vms, requests);
}

std::uint64_t sum(const CallCounts& counts) {
  std::uint64_t all = 0;
  for (const auto& [name, count] : counts) all += count;
  return all;
}

}  // namespace qm::bench
