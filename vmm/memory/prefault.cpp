#include "vmm/memory/prefault.h"

#include <algorithm>

#include "vmm/os/populate.h"

namespace qm {

namespace {

void populateRun(const std::vector<GuestMemory::Region>& regions, const PageRun& run, Populate how) {
  const std::uint64_t offset = run.first * kGuestPageBytes;
  for (const GuestMemory::Region& region : regions) {
    const std::uint64_t begin = region.range.fileOffset;
    if (offset < begin || offset - begin >= region.range.bytes) continue;
    const std::uint64_t most = region.range.bytes - (offset - begin);
    const std::uint64_t bytes = std::min(run.count * kGuestPageBytes, most);
    static_cast<void>(populate(region.host.subspan(offset - begin, bytes), how));
  }
}

}  // namespace

void prefault(const GuestMemory& memory, const WorkingSet& pages) {
  const std::vector<GuestMemory::Region> regions = memory.regions();
  for (const PageRun& run : pages.written) populateRun(regions, run, Populate::forWriting);
  for (const PageRun& run : pages.read) populateRun(regions, run, Populate::forReading);
}

}  // namespace qm
