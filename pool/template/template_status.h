// Where a template stands between its recipe and clones.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace qm::pool {

struct TemplateStatus {
  enum class State : std::uint8_t {
    none,      // only a recipe
    building,  // `detail` says the step
    ready,     // clones are made from its snapshot
    failed,    // `detail` says why; leases take the boot road
  };
  State state = State::none;
  std::string detail;
  bool operator==(const TemplateStatus&) const = default;
};

constexpr std::string_view name(TemplateStatus::State state) {
  switch (state) {
    case TemplateStatus::State::none:
      return "none";
    case TemplateStatus::State::building:
      return "building";
    case TemplateStatus::State::ready:
      return "ready";
    case TemplateStatus::State::failed:
      return "failed";
  }
  return "unknown";
}

}  // namespace qm::pool
