// What was measured: samples by name, a table for people, a flat object for programs. Values.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

#include "vmm/result/result.h"

namespace qm::bench {

enum class Unit : std::uint8_t { milliseconds, kibibytes };

class Figure {
 public:
  Figure() = default;
  // `meaning` says where the clock starts and stops.
  Figure(Unit unit, std::string meaning) : unit_(unit), meaning_(std::move(meaning)) {}

  void add(double sample) { samples_.push_back(sample); }
  std::size_t count() const { return samples_.size(); }
  // In the order in which they came.
  const std::vector<double>& samples() const { return samples_; }
  // The smallest sample that at least `percent` of all are not above (nearest rank); 0 without samples.
  double percentile(double percent) const;

  Unit unit() const { return unit_; }
  const std::string& meaning() const { return meaning_; }

 private:
  Unit unit_ = Unit::milliseconds;
  std::string meaning_;
  std::vector<double> samples_;
};

class Figures {
 public:
  // Declares a figure; the table has them in the order in which they were declared.
  void declare(const std::string& name, Unit unit, std::string meaning);
  // Of a declared figure.
  void add(const std::string& name, std::chrono::nanoseconds sample);
  void add(const std::string& name, std::uint64_t kib);
  const Figure& of(const std::string& name) const;

  std::string table() const;
  // NAME_ms_p50, NAME_ms_p99, NAME_n; kibibytes as NAME_kib_p50. Figures without samples are left out.
  boost::json::object flat() const;

 private:
  std::vector<std::string> order_;
  std::map<std::string, Figure> figures_;
};

// Microseconds are as fine as these clocks' figures are worth; for figures in milliseconds.
double toMicroseconds(double milliseconds);

// One line a figure, in their order, numbers as people write them.
Status writeFlat(const boost::json::object& flat, const std::filesystem::path& path);

}  // namespace qm::bench
