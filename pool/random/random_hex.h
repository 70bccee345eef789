// Random bytes as text: what names and secrets are made of.
#pragma once

#include <cstddef>
#include <string>

namespace qm::pool {

// 2 lower-case hexadecimal digits for each of `bytes` bytes of the host kernel's generator.
std::string randomHex(std::size_t bytes);

}  // namespace qm::pool
