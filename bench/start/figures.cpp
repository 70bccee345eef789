#include "bench/start/figures.h"

#include <algorithm>
#include <cmath>

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "vmm/os/file_descriptor.h"
#include "vmm/result/check.h"

namespace qm::bench {

double toMicroseconds(double milliseconds) {
  constexpr double kThousand = 1000;
  return std::round(milliseconds * kThousand) / kThousand;
}

double Figure::percentile(double percent) const {
  if (samples_.empty()) return 0;
  std::vector<double> sorted = samples_;
  std::ranges::sort(sorted);
  const auto rank = static_cast<std::size_t>(std::ceil(percent / 100 * static_cast<double>(sorted.size())));
  return sorted[std::clamp<std::size_t>(rank, 1, sorted.size()) - 1];
}

void Figures::declare(const std::string& name, Unit unit, std::string meaning) {
  CHECK(figures_.try_emplace(name, unit, std::move(meaning)).second);
  order_.push_back(name);
}

void Figures::add(const std::string& name, std::chrono::nanoseconds sample) {
  figures_.at(name).add(std::chrono::duration<double, std::milli>(sample).count());
}

void Figures::add(const std::string& name, std::uint64_t kib) {
  figures_.at(name).add(static_cast<double>(kib));
}

const Figure& Figures::of(const std::string& name) const {
  return figures_.at(name);
}

std::string Figures::table() const {
  std::string text = fmt::format("{:<28} {:>10} {:>10} {:>5}  {}\n", "figure", "p50", "p99", "N", "what");
  for (const std::string& name : order_) {
    const Figure& figure = figures_.at(name);
    if (figure.count() == 0) continue;
    const char* unit = figure.unit() == Unit::milliseconds ? "ms" : "KiB";
    const int digits = figure.unit() == Unit::milliseconds ? 2 : 0;
    text += fmt::format("{:<28} {:>10.{}f} {:>10.{}f} {:>5}  {}: {}\n", name, figure.percentile(50), digits,
                        figure.percentile(99), digits, figure.count(), unit, figure.meaning());
  }
  return text;
}

boost::json::object Figures::flat() const {
  boost::json::object object;
  for (const std::string& name : order_) {
    const Figure& figure = figures_.at(name);
    if (figure.count() == 0) continue;
    const std::string base = name + (figure.unit() == Unit::milliseconds ? "_ms" : "_kib");
    object[base + "_p50"] = toMicroseconds(figure.percentile(50));
    object[base + "_p99"] = toMicroseconds(figure.percentile(99));
    object[name + "_n"] = figure.count();
  }
  return object;
}

Status writeFlat(const boost::json::object& flat, const std::filesystem::path& path) {
  // Boost.JSON's own numbers are all mantissa and exponent.
  std::string text;
  for (const auto& [name, value] : flat) {
    text += fmt::format("{}  \"{}\": ", text.empty() ? "{\n" : ",\n", std::string_view(name));
    text += value.is_number() ? fmt::format("{}", value.to_number<double>()) : boost::json::serialize(value);
  }
  text += "\n}\n";
  const FileDescriptor file = TRY(openFile(path, OpenMode::create));
  return writeAll(file, std::as_bytes(std::span(text)));
}

}  // namespace qm::bench
