#include "vmm/memory/page_run.h"

namespace qm {

std::vector<PageRun> pageRuns(std::span<const std::uint64_t> bitmap) {
  constexpr std::size_t kBits = 64;
  std::vector<PageRun> runs;
  for (std::size_t page = 0; page < bitmap.size() * kBits; ++page) {
    if (bitmap[page / kBits] == 0) {
      page |= kBits - 1;
      continue;
    }
    if ((bitmap[page / kBits] >> page % kBits & 1U) == 0) continue;
    const auto number = static_cast<std::uint32_t>(page);
    if (!runs.empty() && runs.back().first + runs.back().count == number) {
      ++runs.back().count;
    } else {
      if (runs.size() == kMaxPageRuns) break;
      runs.push_back({.first = number, .count = 1});
    }
  }
  return runs;
}

}  // namespace qm
