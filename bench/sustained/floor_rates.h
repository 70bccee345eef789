// The floor under a daemon's rate on KVM: how many VMs a second this host makes and ends at all, by the bare program of
// bench/start, with some workers at once.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include <boost/json/object.hpp>

#include "vmm/result/result.h"

namespace qm::bench {

using FloorRates = std::map<std::uint32_t, double>;  // VMs a second by the number of workers

// Takes some seconds.
Result<FloorRates> measureFloorRates(const std::filesystem::path& program);
// The higher of the two for each number of workers.
FloorRates higherOf(const FloorRates& one, const FloorRates& other);
// With as many workers as serve best; 0 of none.
double best(const FloorRates& rates);

// Lines for people; keys floor_per_s_1_workers …, floor_per_s.
std::string table(const FloorRates& rates);
void addFlat(const FloorRates& rates, boost::json::object& flat);

}  // namespace qm::bench
