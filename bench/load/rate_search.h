// Looks for the highest rate that something holds, by trying some.
#pragma once

#include <functional>

#include "vmm/result/result.h"

namespace qm::bench {

struct RateSearch {
  double from = 100;  // the first that is tried; above 0
  double most = 400;  // none above it is tried; at least `from`
  double step = 5;  // how near to each other the highest that held and the lowest that did not are at the end; above 0
};

// `holds` is asked once for each rate that is tried; its error ends the search. From the first rate on half as much
// again until one is not held, then halfway between the two. 0: not even the last, which is below `step`.
Result<double> highestRate(const RateSearch& search, const std::function<Result<bool>(double)>& holds);

}  // namespace qm::bench
