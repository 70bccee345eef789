// A TCP port as people write it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace qm::network {

// Decimal digits and nothing else, 0 to 65535.
std::optional<std::uint16_t> portFrom(std::string_view text);

}  // namespace qm::network
