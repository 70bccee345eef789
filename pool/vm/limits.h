// How long each thing that a VM is asked to do may take before it counts as failed.
#pragma once

#include <chrono>

#include "pool/vm/vm_process.h"

namespace qm::pool {

struct Limits {
  std::chrono::milliseconds boot{60'000};  // until the agent accepts
  std::chrono::milliseconds restore{10'000};
  std::chrono::milliseconds reply{5'000};     // one message there and one back
  std::chrono::milliseconds renew{30'000};    // the template's hooks included
  std::chrono::milliseconds warmUp{300'000};  // each command
  std::chrono::milliseconds save{60'000};
};

inline Deadline deadlineIn(std::chrono::milliseconds limit) {
  return std::chrono::steady_clock::now() + limit;
}

}  // namespace qm::pool
