// Random bytes of the host kernel's generator.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace qm {

// getrandom(2): waits only before the kernel's pool is first ready.
void fillRandom(std::span<std::byte> bytes);
std::vector<std::byte> randomBytes(std::size_t count);

}  // namespace qm
