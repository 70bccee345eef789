// Learns of a template what its clones all do: some are made, asked for a reply and, where the recipe has one, put
// through its rehearsal; what they touched is noted and they are gone. Nothing learned is needed to be right, so
// nothing that fails here fails the template.
#pragma once

#include <cstdint>

#include "pool/clone/clone_maker.h"
#include "pool/template/guest_preparation.h"
#include "pool/template/recipe.h"
#include "pool/template/snapshot_shelf.h"
#include "pool/vm/clone_files.h"
#include "pool/vm/limits.h"
#include "pool/vm/living_vms.h"
#include "vmm/result/result.h"

namespace qm::pool {

// What is the same in this many clones counts; with one a page that only chance touched would be prefaulted for ever.
inline constexpr std::size_t kTrials = 2;

// Threads: any; it keeps nothing between calls.
class Trials {
 public:
  Trials(LivingVms& vms, const CloneMaker& maker, const Clock& clock, const Limits& limits)
      : vms_(vms), maker_(maker), clock_(clock), limits_(limits) {}

  // Into image.files; where that is null there is nothing to learn of. Before anybody else has the image. An error says
  // what was not learned.
  Status learn(const Recipe& recipe, const TemplateImage& image, const Progress& progress) const;

 private:
  Result<Observed> observe(const Recipe& recipe, const TemplateImage& image) const;
  Status prepareCode(const std::vector<Observed>& trials, CloneFiles& files) const;

  LivingVms& vms_;
  const CloneMaker& maker_;
  const Clock& clock_;
  Limits limits_;
};

}  // namespace qm::pool
