// What follows from the figures: ratios to QEMU, the names that the project's issues ask for.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include <boost/json/object.hpp>

#include "bench/start/figures.h"

namespace qm::bench {

struct Summary {
  boost::json::object flat;  // all figures, and what follows from them; what was not measured is left out
  std::string text;          // for people
};

// `watched`: for how long clones were idle. `mips`: none when the CPU does not count.
Summary summarise(const Figures& figures, std::chrono::seconds watched, std::optional<double> mips);

}  // namespace qm::bench
