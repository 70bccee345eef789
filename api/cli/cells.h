// Cells of a table from members of a document.
#pragma once

#include <cstdint>
#include <string>

#include <boost/json/value.hpp>

namespace qm::cli {

// A member as text: strings as they are, numbers and truth values as JSON writes them, "-" when it is not there.
std::string cell(const boost::json::value& document, const char* name);
// 1234 as "1.23 ms", 87 as "87 us".
std::string duration(std::int64_t microseconds);
// "take 12 us, ping 0.50 ms; 0.51 ms in all" of a grant's phases_us.
std::string phasesText(const boost::json::value& grant);

}  // namespace qm::cli
