#include "bench/start/process_memory.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "vmm/os/file_descriptor.h"

namespace qm::bench {

namespace {

std::string_view takeLine(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

// "Private_Dirty:   12 kB" has its colon in its first word, "55aa-55bb rw-p 0 00:00 0   name" has not.
bool isHeader(std::string_view line) {
  return line.substr(0, line.find(' ')).find(':') == std::string_view::npos;
}

std::string_view nameIn(std::string_view header) {
  for (int field = 0; field < 5; ++field) {
    header.remove_prefix(std::min(header.find(' '), header.size()));
    header.remove_prefix(std::min(header.find_first_not_of(' '), header.size()));
  }
  return header;
}

std::uint64_t kibIn(std::string_view line) {
  line.remove_prefix(std::min(line.find_first_of("0123456789"), line.size()));
  std::uint64_t kib = 0;
  static_cast<void>(std::from_chars(line.data(), line.data() + line.size(), kib));
  return kib;
}

std::string largestOf(const std::map<std::string_view, std::uint64_t>& byName) {
  std::vector<std::pair<std::uint64_t, std::string_view>> sorted;
  for (const auto& [name, kib] : byName) sorted.emplace_back(kib, name);
  std::ranges::sort(sorted, std::greater());
  constexpr std::size_t kShown = 6;
  sorted.resize(std::min(sorted.size(), kShown));
  std::string text;
  for (const auto& [kib, name] : sorted)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", kib, name.empty() ? "anonymous" : name);
  return text;
}

}  // namespace

ProcessMemory memoryFromSmaps(std::string_view text, std::string_view ramFile) {
  ProcessMemory memory;
  std::string_view name;
  std::map<std::string_view, std::uint64_t> byName;
  while (!text.empty()) {
    const std::string_view line = takeLine(text);
    if (isHeader(line)) {
      name = nameIn(line);
    } else if (line.starts_with("Private_Clean:") || line.starts_with("Private_Dirty:")) {
      const std::uint64_t kib = kibIn(line);
      memory.privateKib += kib;
      byName[name] += kib;
      if (name != ramFile) memory.privateOutsideRamKib += kib;
    } else if (line.starts_with("Anonymous:")) {
      if (name == ramFile) memory.writtenRamKib += kibIn(line);
    } else if (line.starts_with("Shared_Clean:") || line.starts_with("Shared_Dirty:")) {
      memory.sharedKib += kibIn(line);
    }
  }
  memory.largest = largestOf(byName);
  return memory;
}

Result<ProcessMemory> readProcessMemory(pid_t pid, std::string_view ramFile) {
  constexpr std::size_t kLongest = std::size_t{1} << 20;
  const std::string text = TRY(readKernelFile("/proc/" + std::to_string(pid) + "/smaps", kLongest));
  return memoryFromSmaps(text, ramFile);
}

}  // namespace qm::bench
