#include "api/cli/table.h"

#include <algorithm>

#include <fmt/format.h>

namespace qm::cli {

namespace {

std::string printable(std::string text) {
  for (char& character : text) {
    // Bytes of UTF-8 pass; control characters would steer the terminal.
    if (static_cast<unsigned char>(character) < ' ' || character == '\x7f') character = '.';
  }
  return text;
}

}  // namespace

std::string tableText(const std::vector<Row>& rows) {
  std::vector<std::size_t> widths;
  for (const Row& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += i + 1 < row.size() ? fmt::format("{:<{}}  ", printable(row[i]), widths[i]) : printable(row[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

}  // namespace qm::cli
