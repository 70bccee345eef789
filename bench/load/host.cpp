#include "bench/load/host.h"

#include <sched.h>
#include <sys/utsname.h>

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "vmm/os/file_descriptor.h"

namespace qm::bench {

namespace {

std::string modelIn(std::string_view cpuinfo) {
  constexpr std::string_view kKey = "\nmodel name";
  const std::size_t at = cpuinfo.find(kKey);
  if (at == std::string_view::npos) return "unknown CPU";
  std::string_view line = cpuinfo.substr(at + 1, cpuinfo.find('\n', at + 1) - at - 1);
  line.remove_prefix(std::min(line.find(':'), line.size()));
  line.remove_prefix(std::min(line.find_first_not_of(": "), line.size()));
  return std::string(line);
}

}  // namespace

std::string describeHost() {
  cpu_set_t cpus{};
  const int count = ::sched_getaffinity(0, sizeof cpus, &cpus) == 0 ? CPU_COUNT(&cpus) : 0;
  utsname kernel{};
  static_cast<void>(::uname(&kernel));
  constexpr std::size_t kLongest = std::size_t{1} << 20U;
  const std::string cpuinfo = readKernelFile("/proc/cpuinfo", kLongest).value_or("");
  return fmt::format("{} CPUs, {} {}, {}", count, kernel.sysname, kernel.release, modelIn(cpuinfo));
}

}  // namespace qm::bench
