// Warm hits: quickmatchd with a pool of ready clones, asked over REST on its Unix socket.
#pragma once

#include "bench/start/figures.h"
#include "bench/start/places.h"
#include "vmm/result/result.h"

namespace qm::bench {

// Adds acquire, acquire_reply and release; each take finds a full pool, and nothing else is asked of the daemon.
Status measureWarmHits(const Places& places, std::uint32_t runs, Figures& figures);

}  // namespace qm::bench
