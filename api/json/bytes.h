// Bytes in JSON: a string when they are UTF-8, else an object {"base64": "…"}. Both forms are taken everywhere, so a
// client that always sends base64 is right too.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include <boost/json/value.hpp>

#include "vmm/result/result.h"

namespace qm {

boost::json::value bytesToJson(std::span<const std::byte> bytes);
Result<std::vector<std::byte>> bytesFromJson(const boost::json::value& value);

// Well-formed as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF.
bool isUtf8(std::string_view text);

}  // namespace qm
