// Learns of a template what its clones all do: some are made, asked for a reply, put through the recipe's rehearsal
// where it has one, left alone as ready clones are, and asked again; what they touched is noted and they are gone.
// Nothing learned is needed to be right, so nothing that fails here fails the template.
#pragma once

#include <chrono>
#include <cstddef>
#include <vector>

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
// Until an idle guest has done what it does by itself: the slowest that is usual, Linux's count of its memory, comes
// once a second (6.1, mm/vmstat.c, sysctl_stat_interval). Without it each clone of a pool decoded some 1,200
// instructions of its own, with the CPU in software.
inline constexpr std::chrono::milliseconds kLeftAlone{1100};

// Threads: any; it keeps nothing between calls.
class Trials {
 public:
  Trials(LivingVms& vms, const CloneMaker& maker, Clock& clock, const Limits& limits)
      : vms_(vms), maker_(maker), clock_(clock), limits_(limits) {}

  // Into image.files; where that is null there is nothing to learn of. Before anybody else has the image. An error says
  // what was not learned.
  Status learn(const Recipe& recipe, const TemplateImage& image, const Progress& progress) const;

 private:
  // What `clones`, which are made here and the caller's to end, did.
  Result<std::vector<Observed>> observe(const Recipe& recipe, const TemplateImage& image, const Progress& progress,
                                        std::vector<Vm>& clones) const;
  void leaveAlone() const;
  Status prepareCode(const std::vector<Observed>& trials, CloneFiles& files) const;

  LivingVms& vms_;
  const CloneMaker& maker_;
  Clock& clock_;
  Limits limits_;
};

}  // namespace qm::pool
