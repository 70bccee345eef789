// Files of a control group, which take what is written in one piece or not at all.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "vmm/result/result.h"

namespace qm {

Status putCgroupFile(const std::filesystem::path& file, std::string_view text);
// One that holds a number.
Result<std::uint64_t> numberInCgroupFile(const std::filesystem::path& file);

}  // namespace qm
