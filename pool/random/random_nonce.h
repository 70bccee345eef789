// 64 random bits.
#pragma once

#include <cstdint>
#include <span>

#include "vmm/os/random.h"

namespace qm::pool {

inline std::uint64_t randomNonce() {
  std::uint64_t nonce = 0;
  fillRandom(std::as_writable_bytes(std::span(&nonce, 1)));
  return nonce;
}

}  // namespace qm::pool
