// Files of a control group.
#pragma once

#include <cstdint>
#include <filesystem>

#include "vmm/result/result.h"

namespace qm {

// One that holds a number.
Result<std::uint64_t> numberInCgroupFile(const std::filesystem::path& file);

}  // namespace qm
