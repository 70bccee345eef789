// Rows in columns as wide as their widest cell, the last one open; for people.
#pragma once

#include <string>
#include <vector>

namespace qm::cli {

using Row = std::vector<std::string>;

// The first row is the heading. Cells come from outside: what is no printable character is shown as '.'.
std::string tableText(const std::vector<Row>& rows);

}  // namespace qm::cli
