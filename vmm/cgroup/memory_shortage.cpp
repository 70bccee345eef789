#include "vmm/cgroup/memory_shortage.h"

#include <charconv>
#include <system_error>

namespace qm {

std::uint64_t eventIn(std::string_view lines, std::string_view name) {
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(line.size() < lines.size() ? line.size() + 1 : line.size());
    if (!line.starts_with(name) || line.size() <= name.size() || line[name.size()] != ' ') continue;
    std::uint64_t count = 0;
    const std::string_view number = line.substr(name.size() + 1);
    const auto read = std::from_chars(number.data(), number.data() + number.size(), count);
    return read.ec == std::errc() ? count : 0;
  }
  return 0;
}

}  // namespace qm
