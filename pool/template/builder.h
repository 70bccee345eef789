// Makes a template's snapshot: boot, answer, warm up, freeze, publish, verify.
#pragma once

#include <cstdint>

#include "pool/template/guest_preparation.h"
#include "pool/template/recipe.h"
#include "pool/template/snapshot_shelf.h"
#include "pool/vm/limits.h"
#include "pool/vm/living_vms.h"
#include "vmm/result/result.h"

namespace qm::pool {

enum class SnapshotSource : std::uint8_t {
  shelf,  // one published earlier, when there is one and it is whole; else a build
  build,
};

// Threads: any; it keeps nothing between calls.
class TemplateBuilder {
 public:
  TemplateBuilder(LivingVms& vms, SnapshotShelf& shelf, const Limits& limits)
      : vms_(vms), shelf_(shelf), limits_(limits) {}

  // Blocks for as long as it takes. Afterwards no VM and no staging folder is left, however it went.
  Result<TemplateImage> prepare(const Recipe& recipe, SnapshotSource source, const Progress& progress) const;

 private:
  Result<TemplateImage> build(const Recipe& recipe, const Progress& progress) const;
  // Verified, and open.
  Result<TemplateImage> seal(TemplateImage image, const Recipe& recipe) const;
  Result<TemplateImage> freeze(VmProcess& vm, const Recipe& recipe, const StagedSnapshot& staged,
                               const Progress& progress) const;

  LivingVms& vms_;
  SnapshotShelf& shelf_;
  Limits limits_;
};

}  // namespace qm::pool
