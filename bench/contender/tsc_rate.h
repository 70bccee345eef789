// How fast the host's time stamp counter runs, in kHz, measured against the monotonic clock for a twentieth of a
// second.
#pragma once

#include <cstdint>

namespace qm::bench {

std::uint64_t measureTscKhz();

}  // namespace qm::bench
