// Pages given back.
#pragma once

#include <cstddef>
#include <span>

#include "vmm/result/result.h"

namespace qm {

// What this process wrote there is gone (MADV_DONTNEED, madvise(2)): a private copy of a file reads as the file again,
// anonymous memory as zeros. `bytes` are whole pages of one mapping.
Status discard(std::span<std::byte> bytes);

}  // namespace qm
