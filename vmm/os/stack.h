// What calls that have returned left on this thread's stack.
#pragma once

#include <string.h>

#include <array>
#include <cstddef>

namespace qm {

// Zeros it, so many bytes below the caller's frame. What stands in the frames of callers stays.
template <std::size_t bytes>
[[gnu::noinline]] void wipeStackBelow() {
  std::array<std::byte, bytes> below;
  ::explicit_bzero(below.data(), below.size());
}

}  // namespace qm
