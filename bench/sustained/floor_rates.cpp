#include "bench/sustained/floor_rates.h"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "bench/start/figures.h"
#include "bench/start/floor_run.h"

namespace qm::bench {

Result<FloorRates> measureFloorRates(const std::filesystem::path& program) {
  constexpr std::uint32_t kWorkers[]{1, 2, 4};
  constexpr std::chrono::seconds kTime(4);
  TRY(runFloor(program));  // warms caches
  FloorRates rates;
  for (const std::uint32_t workers : kWorkers) rates[workers] = TRY(floorRate(program, workers, kTime));
  return rates;
}

FloorRates higherOf(const FloorRates& one, const FloorRates& other) {
  FloorRates higher = one;
  for (const auto& [workers, rate] : other) higher[workers] = std::max(higher[workers], rate);
  return higher;
}

double best(const FloorRates& rates) {
  double highest = 0;
  for (const auto& [workers, rate] : rates) highest = std::max(highest, rate);
  return highest;
}

std::string table(const FloorRates& rates) {
  std::string text;
  for (const auto& [workers, rate] : rates)
    text += fmt::format("  the floor, bare KVM programs by {} at once: {:.1f}/s\n", workers, rate);
  return text;
}

void addFlat(const FloorRates& rates, boost::json::object& flat) {
  for (const auto& [workers, rate] : rates) flat[fmt::format("floor_per_s_{}_workers", workers)] = toMicroseconds(rate);
  if (!rates.empty()) flat["floor_per_s"] = toMicroseconds(best(rates));
}

}  // namespace qm::bench
