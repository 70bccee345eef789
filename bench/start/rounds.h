// What is measured, in which order: rounds, in each of which every machine takes its turn, so that a slow spell of the
// host falls on all of them. The first round warms caches and does not count.
#pragma once

#include <cstdint>

#include "bench/start/figures.h"
#include "bench/start/places.h"
#include "vmm/result/result.h"

namespace qm::bench {

void declareFigures(Figures& figures);

// Everything but the warm hits.
Status measureRounds(const Places& places, std::uint32_t rounds, Figures& figures);

}  // namespace qm::bench
