#include "vmm/hypervisor/soft/system/guest_clock.h"

#include <immintrin.h>

namespace qm::soft {

std::uint64_t readTsc(Cpu& /*cpu*/) {
  return __rdtsc();
}

}  // namespace qm::soft
