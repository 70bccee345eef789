// How a guest's wish to connect somewhere ends, in HTTP's words.
#pragma once

#include <string>

namespace qm {

struct EgressVerdict {
  unsigned status = 200;
  std::string why;  // for the log; empty: it is connected
};

}  // namespace qm
