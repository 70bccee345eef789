// Base64, RFC 4648 section 4: the standard alphabet, padded.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vmm/result/result.h"

namespace qm {

std::string toBase64(std::span<const std::byte> bytes);
// Strict: no line breaks, full padding, unused bits zero; so one text stands for one sequence of bytes.
Result<std::vector<std::byte>> fromBase64(std::string_view text);

}  // namespace qm
