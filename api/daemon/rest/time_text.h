// Points in time as RFC 3339 has them, in UTC with milliseconds: 2026-01-31T10:00:00.123Z.
#pragma once

#include <chrono>
#include <string>

namespace qm::rest {

std::string timeText(std::chrono::system_clock::time_point time);

}  // namespace qm::rest
