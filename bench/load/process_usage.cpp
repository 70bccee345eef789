#include "bench/load/process_usage.h"

#include <unistd.h>

#include <array>
#include <charconv>
#include <filesystem>
#include <map>
#include <string>
#include <system_error>

#include "vmm/os/file_descriptor.h"

namespace qm::bench {

namespace {

using std::chrono::nanoseconds;

nanoseconds ofTicks(std::uint64_t ticks) {
  static const auto perSecond = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  constexpr std::uint64_t kNanoseconds = 1'000'000'000;
  return nanoseconds(static_cast<std::int64_t>(ticks * (kNanoseconds / perSecond)));
}

// The next number of a row; 0 for what is none (/proc/PID/stat has negative ones, of no interest here).
std::uint64_t nextNumber(std::string_view& row) {
  row.remove_prefix(std::min(row.find_first_not_of(' '), row.size()));
  const std::string_view word = row.substr(0, row.find_first_of(" \n"));
  std::uint64_t value = 0;
  std::from_chars(word.data(), word.data() + word.size(), value);
  row.remove_prefix(word.size());
  return value;
}

std::map<pid_t, ProcessUsage> allProcesses() {
  std::map<pid_t, ProcessUsage> all;
  std::error_code failure;
  for (const auto& folder : std::filesystem::directory_iterator("/proc", failure)) {
    const std::string name = folder.path().filename();
    pid_t pid = 0;
    const auto read = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (read.ec != std::errc() || read.ptr != name.data() + name.size()) continue;
    // One may have ended since it was listed.
    const Result<std::string> text = readKernelFile(folder.path() / "stat");
    if (!text.has_value()) continue;
    if (const auto usage = readProcessStat(*text); usage.has_value()) all[pid] = *usage;
  }
  return all;
}

bool descendsFrom(const std::map<pid_t, ProcessUsage>& all, pid_t pid, pid_t ancestor) {
  for (auto one = all.find(pid); one != all.end(); one = all.find(one->second.parent)) {
    if (one->second.parent == ancestor) return true;
  }
  return false;
}

}  // namespace

Usage& Usage::operator+=(const Usage& other) {
  user += other.user;
  system += other.system;
  minorFaults += other.minorFaults;
  return *this;
}

Usage Usage::since(const Usage& earlier) const {
  return {.user = std::max(user - earlier.user, nanoseconds::zero()),
          .system = std::max(system - earlier.system, nanoseconds::zero()),
          .minorFaults = minorFaults - std::min(minorFaults, earlier.minorFaults)};
}

Result<ProcessUsage> readProcessStat(std::string_view text) {
  // The second field, a program's name in parentheses, may hold anything, parentheses too.
  const std::size_t end = text.rfind(')');
  if (end == std::string_view::npos || end + 3 > text.size())
    return Error(Remedy::giveUp, "/proc/PID/stat is not as proc(5) says");
  std::string_view row = text.substr(end + 3);  // after ") S"
  std::array<std::uint64_t, 14> fields{};       // from field 4, the parent, to field 17, the children's system time
  for (std::uint64_t& field : fields) field = nextNumber(row);
  return ProcessUsage{.parent = static_cast<pid_t>(fields[0]),
                      .own = {.user = ofTicks(fields[10]), .system = ofTicks(fields[11]), .minorFaults = fields[6]},
                      .ended = {.user = ofTicks(fields[12]), .system = ofTicks(fields[13]), .minorFaults = fields[7]}};
}

Result<nanoseconds> readMachineBusy(std::string_view text) {
  if (!text.starts_with("cpu ")) return Error(Remedy::giveUp, "/proc/stat is not as proc(5) says");
  std::string_view row = text.substr(4);
  std::array<std::uint64_t, 7> ticks{};  // user, nice, system, idle, iowait, irq, softirq
  for (std::uint64_t& field : ticks) field = nextNumber(row);
  return ofTicks(ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6]);
}

ServiceUsage ServiceUsage::since(const ServiceUsage& earlier) const {
  return {.daemon = daemon.since(earlier.daemon),
          .spawner = spawner.since(earlier.spawner),
          .vms = vms.since(earlier.vms),
          .bench = bench.since(earlier.bench),
          .machineBusy = machineBusy - earlier.machineBusy,
          .at = at};
}

Result<ServiceUsage> sampleUsage(pid_t daemon) {
  const std::string machine = TRY(readKernelFile("/proc/stat"));
  ServiceUsage usage{.machineBusy = TRY(readMachineBusy(machine)), .at = std::chrono::steady_clock::now()};
  const std::map<pid_t, ProcessUsage> all = allProcesses();
  const auto found = all.find(daemon);
  if (found == all.end()) return Error(Remedy::giveUp, "quickmatchd has ended");
  usage.daemon = found->second.own;
  for (const auto& [pid, process] : all) {
    if (pid == ::getpid()) usage.bench = process.own;
    if (process.parent == daemon) {
      usage.spawner += process.own;
      usage.vms += process.ended;
    } else if (descendsFrom(all, pid, daemon)) {
      usage.vms += process.own + process.ended;
    }
  }
  return usage;
}

std::vector<pid_t> descendantsOf(pid_t ancestor) {
  const std::map<pid_t, ProcessUsage> all = allProcesses();
  std::vector<pid_t> found;
  for (const auto& [pid, process] : all) {
    if (descendsFrom(all, pid, ancestor)) found.push_back(pid);
  }
  return found;
}

}  // namespace qm::bench
