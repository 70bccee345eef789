#include "api/cli/doctor/network_check.h"

#include <fmt/format.h>

namespace qm::cli {

Finding checkNetworkSlots(const Status& made) {
  if (made.has_value()) return {.what = "network slots", .found = "one was made"};
  return {
      .what = "network slots",
      .state = Finding::State::limited,
      .found = "none can be made",
      .remedy = fmt::format("{}. Until then no VM of a template with \"net\": \"slot\" starts.", made.error().text())};
}

}  // namespace qm::cli
