#include "vmm/os/stack.h"

#include <string.h>

#include <array>
#include <cstddef>

namespace qm {

[[gnu::noinline]] void wipeStackBelow() {
  std::array<std::byte, std::size_t{256} * 1024> below;
  ::explicit_bzero(below.data(), below.size());
}

}  // namespace qm
