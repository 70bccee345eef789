// Starts: how long a guest takes, from when somebody asks for it to its first reply, booted and restored; what an idle
// clone holds and uses.
#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "bench/contender/contender.h"
#include "bench/start/figures.h"

namespace qm::bench {

using Contenders = std::vector<std::unique_ptr<Contender>>;

void declareStarts(const Contenders& contenders, Figures& figures);

// In each round everyone takes its turn, so that a slow spell of the host falls on all. The first warms caches and does
// not count. No other guest is alive while one is measured.
Status measureStarts(const Contenders& contenders, const Recipe& recipe, std::uint32_t rounds, Figures& figures);

// After measureStarts. Several clones of everyone at once: what they share counts as shared only while more than one
// has it.
Status measureIdleClones(const Contenders& contenders, std::chrono::seconds time, Figures& figures);

}  // namespace qm::bench
