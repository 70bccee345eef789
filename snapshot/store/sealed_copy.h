// A file of a snapshot, copied into memory where nobody can change it any more.
#pragma once

#include <filesystem>
#include <vector>

#include "vmm/memory/page_run.h"
#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm::snapshot {

// Open for reading only. The file's own cached pages are let go, so that its contents are in memory once. The copy's
// pages are charged to the process that calls, not to those who map them later; so that this is true of all of them,
// the copy has a page wherever it has no hole, zeros among them.
struct SealedCopy {
  FileDescriptor file;
  std::vector<PageRun> holes;  // of zeros; ascending, none shorter than kLeastHole, at most kMostHoles
};
// Each is one mapping more in every clone, and each that is shorter than this is memory for nothing.
inline constexpr std::uint32_t kLeastHole = 256;
inline constexpr std::size_t kMostHoles = 64;

Result<SealedCopy> sealedCopy(const std::filesystem::path& path);

// The longest of them: those that are at least kLeastHole, and of more than kMostHoles those that are at least the
// smallest power of two that leaves so many.
std::vector<PageRun> worthwhile(std::vector<PageRun> holes);

}  // namespace qm::snapshot
