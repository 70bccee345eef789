// Pages had ready before they are touched.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "vmm/result/result.h"

namespace qm {

enum class Populate : std::uint8_t {
  forReading,  // pages are mapped
  forWriting,  // of a private copy: pages are copied
};
// In one call instead of a fault for each page (MADV_POPULATE_*, madvise(2)). `bytes` are whole pages of one mapping.
// Where it fails, nothing is lost but time.
Status populate(std::span<std::byte> bytes, Populate how);

}  // namespace qm
