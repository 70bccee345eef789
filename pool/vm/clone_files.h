// What clones of a template are made of: files that are open, verified and sealed, and what trial clones taught. Passed
// to each VM by descriptor, so that no VM needs a path to them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "vmm/memory/page_run.h"
#include "vmm/os/file_descriptor.h"

namespace qm::pool {

// A disk's image. It is not sealed: it was digested when the template was found or built, and whoever may write to it
// since is trusted.
struct OpenImage {
  std::string id;  // as DrivePlan's
  FileDescriptor image;
};

struct CloneFiles {
  FileDescriptor state;
  FileDescriptor memory;
  std::vector<PageRun> memoryHoles;  // where it has no pages, and each clone gets some of its own
  std::string memorySha256;          // 64 hexadecimal digits
  std::vector<OpenImage> images;

  // Empty, closed: nothing was learned, and clones are as right and slower.
  WorkingSet workingSet;
  FileDescriptor code;  // prepared for the VMM's program
};

// What one trial clone touched between its restore and the moment it was asked. Its guest decided it: hints.
struct Observed {
  std::vector<std::uint64_t> written;  // a bit a page
  std::vector<std::byte> codeHints;    // empty: the VMM has no use for them
};

}  // namespace qm::pool
