#include "snapshot/state/bounds.h"

#include <fmt/format.h>

namespace qm::snapshot {

Error stateRefused(std::string_view what) {
  return {Remedy::fixInput, fmt::format("the snapshot's state has {}: make the snapshot anew", what)};
}

Status checkCount(std::string_view what, std::size_t count, std::size_t least, std::size_t most) {
  if (count >= least && count <= most) return {};
  const std::string possible = least == most ? fmt::to_string(least) : fmt::format("{} to {}", least, most);
  return stateRefused(fmt::format("{} {}, where {} are possible", count, what, possible));
}

}  // namespace qm::snapshot
