#include "bench/load/rate_search.h"

#include <algorithm>

namespace qm::bench {

Result<double> highestRate(const RateSearch& search, const std::function<Result<bool>(double)>& holds) {
  constexpr double kGrowth = 1.5;
  double good = 0, bad = search.most + search.step, rate = search.from;
  while (bad - good > search.step && good < search.most) {
    (TRY(holds(rate)) ? good : bad) = rate;
    rate = bad > search.most ? std::min(rate * kGrowth, search.most) : (good + bad) / 2;
  }
  return good;
}

}  // namespace qm::bench
