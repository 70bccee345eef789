#include "bench/soft/summary.h"

#include <cmath>
#include <utility>

#include <fmt/format.h>

namespace qm::bench {

namespace {

using boost::json::object;

constexpr const char* kComputations[]{"crc32", "qsort", "dgemm", "sha256", "python", "getppid"};

double rounded(double value) {
  constexpr double kTenThousand = 10'000;
  return std::round(value * kTenThousand) / kTenThousand;
}

std::optional<double> number(const object& flat, const std::string& name) {
  const boost::json::value* found = flat.if_contains(name);
  if (found == nullptr) return std::nullopt;
  return found->to_number<double>();
}

// Of two figures that are both there.
std::optional<double> ratio(const object& flat, const std::string& ours, const std::string& theirs) {
  const auto a = number(flat, ours), b = number(flat, theirs);
  if (!a || !b || *b <= 0) return std::nullopt;
  return *a / *b;
}

void addNamed(object& flat, std::chrono::seconds watched) {
  for (const char* who : {"", "alone_", "qemu_", "qemu_template_"}) {
    const std::string prefix = who;
    if (const auto boot = number(flat, prefix + "boot_ready_ms_p50")) flat[prefix + "boot_ready_ms"] = *boot;
    if (const auto idle = number(flat, prefix + "idle_cpu_ms_p50"))
      flat[prefix + "idle_cpu_percent"] = rounded(*idle / (static_cast<double>(watched.count()) * 1000) * 100);
    const auto memory = number(flat, prefix + "clone_private_kib_p50");
    if (memory && !prefix.empty()) flat[prefix + "clone_private_kib"] = *memory;
  }
}

std::string addComputations(object& flat) {
  const std::string head = fmt::format("{:<10} {:>10} {:>10} {:>10} {:>12} {:>14}\n", "ms p50", "native", "ours",
                                       "QEMU", "ours/QEMU", "QEMU/native");
  std::string rows;
  const auto cell = [](std::optional<double> value) { return value ? fmt::format("{:.2f}", *value) : "-"; };
  double product = 1;
  int count = 0;
  for (const std::string name : kComputations) {
    const std::string ours = name + "_ms_p50", theirs = "qemu_" + ours, native = "native_" + ours;
    if (!flat.contains(ours) && !flat.contains(theirs) && !flat.contains(native)) continue;
    const auto toQemu = ratio(flat, ours, theirs);
    if (toQemu) {
      flat[name + "_ratio_to_qemu"] = rounded(*toQemu);
      product *= *toQemu;
      ++count;
    }
    rows += fmt::format("{:<10} {:>10} {:>10} {:>10} {:>12} {:>14}\n", name, cell(number(flat, native)),
                        cell(number(flat, ours)), cell(number(flat, theirs)), cell(toQemu),
                        cell(ratio(flat, theirs, native)));
  }
  if (rows.empty()) return {};
  // A mean of some only would be another figure.
  if (count != std::size(kComputations)) return head + rows;
  const double mean = std::pow(product, 1.0 / count);
  flat["compute_geomean_ratio_to_qemu"] = rounded(mean);
  return head + rows + fmt::format("{:<10} {:>45.2f}\n", "geo. mean", mean);
}

}  // namespace

Summary summarise(const Figures& figures, std::chrono::seconds watched, std::optional<double> mips) {
  Summary summary{.flat = figures.flat(), .text = {}};
  object& flat = summary.flat;
  addNamed(flat, watched);
  summary.text = addComputations(flat);
  if (mips) flat["guest_mips"] = rounded(*mips);
  const auto say = [&](std::string_view form, std::optional<double> value) {
    if (value) summary.text += fmt::format(fmt::runtime(form), *value);
  };
  say("boot → ready is {:.2f} × QEMU's\n", ratio(flat, "boot_ready_ms", "qemu_boot_ready_ms"));
  constexpr std::pair<const char*, const char*> kOurs[]{{"", "restore → reply"},
                                                        {"alone_", "restore → reply of our VMM alone"}};
  for (const auto& [prefix, what] : kOurs) {
    const std::string name = fmt::format("{}restore_reply_ms_p50", prefix);
    say(fmt::format("{} is 1/{{:.1f}} of QEMU's -incoming\n", what), ratio(flat, "qemu_restore_reply_ms_p50", name));
    say(fmt::format("{} is 1/{{:.1f}} of QEMU's with RAM mapped from a file\n", what),
        ratio(flat, "qemu_template_restore_reply_ms_p50", name));
  }
  say("an idle clone uses {:.4f} % of a CPU\n", number(flat, "idle_cpu_percent"));
  say("QEMU's idle clone uses {:.4f} % of a CPU\n", number(flat, "qemu_idle_cpu_percent"));
  say("the guests that compute ran at {:.0f} million instructions a second of CPU time, their boot included\n", mips);
  return summary;
}

}  // namespace qm::bench
