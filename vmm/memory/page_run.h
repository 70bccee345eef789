// Pages of guest memory in a row, numbered as a memory file has them: the ranges of RAM follow each other without gaps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace qm {

struct PageRun {
  std::uint32_t first = 0;
  std::uint32_t count = 0;  // at least 1
  bool operator==(const PageRun&) const = default;
};

// Of a guest between a restore and its first reply: what can be had ready before it asks. Each list ascends, its runs
// lie apart; a page is in one of the two lists at most.
struct WorkingSet {
  std::vector<PageRun> written;  // a clone gets copies of its own
  std::vector<PageRun> read;     // these it shares with all others
  bool operator==(const WorkingSet&) const = default;
};

// One madvise(2) a run, so a list is short.
inline constexpr std::size_t kMaxPageRuns = 1024;

// Of a bitmap as DirtyBitmap::take() has it; those beyond kMaxPageRuns are left out.
std::vector<PageRun> pageRuns(std::span<const std::uint64_t> bitmap);

}  // namespace qm
