#include "bench/load/vm_metrics.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

namespace qm::bench {

namespace {

constexpr std::string_view kGone = "quickmatch_vms_gone", kVm = "quickmatch_vm_", kTotal = "_total";

// `family_total{label="value"} 12`; of a family without labels `family_total 12`.
void readLine(std::string_view line, VmTotals& totals) {
  const std::size_t end = line.find_first_of("{ "), space = line.rfind(' ');
  if (end == std::string_view::npos || !line.substr(0, end).ends_with(kTotal)) return;
  std::string_view family = line.substr(0, end - kTotal.size());
  if (family == kGone) {
    family = "gone";
  } else if (family.starts_with(kVm)) {
    family.remove_prefix(kVm.size());
  } else {
    return;
  }
  std::string name(family);
  if (line[end] == '{') {
    const std::size_t first = line.find('"'), last = line.find('"', first + 1);
    if (last == std::string_view::npos) return;
    name += fmt::format(".{}", line.substr(first + 1, last - first - 1));
  }
  double value = 0;
  if (std::from_chars(line.data() + space + 1, line.data() + line.size(), value).ec == std::errc())
    totals[name] += value;
}

double of(const VmTotals& totals, const std::string& name) {
  const auto found = totals.find(name);
  return found == totals.end() ? 0 : found->second;
}

double rounded(double value) {
  constexpr double kThousand = 1000;
  return std::round(value * kThousand) / kThousand;
}

struct Row {
  const char* stretch;
  const char* what;
};
constexpr Row kRows[]{{"jail", "jail and exec"},      {"start", "start of the VMM"}, {"load", "map, populate, load"},
                      {"renew", "run to the answer"}, {"use", "ready, then leased"}, {"end", "unmap and exit"}};

}  // namespace

VmTotals readVmTotals(std::string_view metrics) {
  VmTotals totals;
  while (!metrics.empty()) {
    const std::size_t end = std::min(metrics.find('\n'), metrics.size());
    readLine(metrics.substr(0, end), totals);
    metrics.remove_prefix(std::min(end + 1, metrics.size()));
  }
  return totals;
}

VmTotals between(const VmTotals& earlier, const VmTotals& later) {
  VmTotals came;
  for (const auto& [name, value] : later) came[name] = value - of(earlier, name);
  return came;
}

std::string vmTable(const VmTotals& totals) {
  const double vms = of(totals, "gone.read");
  if (vms <= 0) return {};
  const auto each = [&](const std::string& name) { return of(totals, name) / vms; };
  std::string text =
      fmt::format("  {:<24} {:>9} {:>9} {:>13} {:>9}\n", "to each VM", "CPU ms", "faults", "instructions", "decoded");
  for (const auto& [stretch, what] : kRows) {
    const std::string label = fmt::format(".{}", stretch);
    text += fmt::format("  {:<24} {:>9.2f} {:>9.0f} {:>13.0f} {:>9.0f}\n", what, 1000 * each("cpu_seconds" + label),
                        each("faults" + label), each("instructions" + label), each("decoded" + label));
  }
  return text + fmt::format(
                    "  {:<24} {:.0f} KiB private when it was killed, {:.0f} KiB of it copied before it was "
                    "asked, {:.0f} exits; {:.0f} VMs, {:.0f} pages refused\n",
                    "", each("private_bytes") / 1024, each("populated_bytes") / 1024,
                    each("exits.mmio_read") + each("exits.mmio_write") + each("exits.port_read") +
                        each("exits.port_write") + each("exits.interrupted"),
                    vms, of(totals, "gone.refused"));
}

void addVmFlat(const VmTotals& totals, const std::string& prefix, boost::json::object& flat) {
  const double vms = of(totals, "gone.read");
  if (vms <= 0) return;
  const auto add = [&](const std::string& key, double value) { flat[prefix + "vm_" + key] = rounded(value / vms); };
  for (const auto& [stretch, what] : kRows) {
    const std::string label = fmt::format(".{}", stretch);
    add(fmt::format("{}_cpu_ms", stretch), 1000 * of(totals, "cpu_seconds" + label));
    for (const char* count : {"faults", "instructions", "decoded"}) {
      if (totals.contains(count + label)) add(fmt::format("{}_{}", stretch, count), of(totals, count + label));
    }
  }
  add("private_bytes", of(totals, "private_bytes"));
  add("populated_bytes", of(totals, "populated_bytes"));
  flat[prefix + "vms_gone"] = vms;
}

}  // namespace qm::bench
