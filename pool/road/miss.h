// Why a tenant did not get a ready clone.
#pragma once

#include <cstdint>
#include <string_view>

namespace qm::pool {

// Why no clone was ready for a tenant who would have taken one.
enum class Miss : std::uint8_t {
  drained,     // the template keeps some, and all were taken
  noPool,      // it keeps none
  noSnapshot,  // it has nothing to make them from
};

constexpr std::string_view name(Miss miss) {
  switch (miss) {
    case Miss::drained:
      return "drained";
    case Miss::noPool:
      return "no_pool";
    case Miss::noSnapshot:
      return "no_snapshot";
  }
  return "unknown";
}

}  // namespace qm::pool
