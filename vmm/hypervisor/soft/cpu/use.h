// What an access to memory is for.
#pragma once

#include <cstdint>

namespace qm::soft {

enum class Use : std::uint8_t { read, write, fetch };

}  // namespace qm::soft
