// Who may stand in line for a clone to be made.
//
// Why not simply all: beyond what the makers make the line grows without end, everybody in it waits longer than anybody
// has patience for, and what is made is made for who is gone. With the rule the line is as long as the patience of who
// stands in it, the makers never lack work, and who could not be served in time hears it at once, while it can still go
// elsewhere or come again.
#pragma once

#include <chrono>
#include <cstdint>

#include "pool/board/pace.h"

namespace qm::pool {

struct LineRule {
  std::uint32_t longest = 0;  // places, whatever the patience
  std::uint32_t makers = 1;

  // Whether one more, behind `ahead` others, is served within its patience at the pace that the makers have shown. As
  // many as there are makers always may: so a pace that was bad once is measured again.
  bool admits(std::uint32_t ahead, const Pace& pace, std::chrono::microseconds patience) const {
    if (ahead >= longest) return false;
    return ahead < makers || pace.until(ahead, makers) <= patience;
  }
};

}  // namespace qm::pool
