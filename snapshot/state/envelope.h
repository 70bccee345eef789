// What stands around a state file's message, readable before a byte of it is decoded (docs/snapshot-format.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "vmm/result/result.h"

namespace qm::snapshot {

inline constexpr std::uint32_t kFormatVersion = 1;
inline constexpr std::size_t kEnvelopeBytes = 40;

// The payload with its envelope before it.
std::vector<std::byte> seal(std::span<const std::byte> payload);

// The payload within `bytes`, which is to be exactly one sealed one: magic, format version, length and checksum are
// checked in this order, and each refusal says what to do.
Result<std::span<const std::byte>> unseal(std::span<const std::byte> bytes);

}  // namespace qm::snapshot
