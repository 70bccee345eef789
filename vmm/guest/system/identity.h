// Who this machine is and what time it is there. Needs root.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "vmm/result/result.h"

namespace qm::guest {

// Mixes `bytes` into the kernel's random pool, credits them in full, and makes its generator use them at once
// (random(4): RNDADDENTROPY, RNDRESEEDCRNG). Without the second, a clone gives out its template's numbers until the
// generator reseeds by itself, up to a minute later.
Status addEntropy(std::span<const std::byte> bytes);

// Nanoseconds since 1970-01-01T00:00:00Z.
Status setWallClock(std::int64_t ns);

// The kernel's and /etc/hostname.
Status setHostname(const std::string& name);
// /etc/machine-id (machine-id(5)).
Status setMachineId(const std::string& id);

}  // namespace qm::guest
