#include "pool/clone/trials.h"

#include <algorithm>
#include <string>
#include <utility>

namespace qm::pool {
namespace {

// The pages that all of them wrote.
WorkingSet stable(const std::vector<Observed>& trials) {
  std::vector<std::uint64_t> common = trials.front().written;
  for (const Observed& trial : trials) {
    common.resize(std::min(common.size(), trial.written.size()));
    for (std::size_t word = 0; word < common.size(); ++word) common[word] &= trial.written[word];
  }
  return {.written = pageRuns(common), .read = {}};
}

}  // namespace

Status Trials::learn(const Recipe& recipe, const TemplateImage& image, const Progress& progress) const {
  if (image.files == nullptr) return {};
  std::vector<Observed> trials;
  for (std::size_t i = 0; i < kTrials; ++i) {
    progress("trying a clone, " + std::to_string(i + 1) + " of " + std::to_string(kTrials));
    trials.push_back(TRY(observe(recipe, image).during("trying a clone")));
  }
  image.files->workingSet = stable(trials);
  progress("preparing code");
  return prepareCode(trials, *image.files).during("preparing code");
}

Result<Observed> Trials::observe(const Recipe& recipe, const TemplateImage& image) const {
  PhaseTimer timer(clock_);
  const Vm vm = TRY(maker_.restoreToObserve(recipe, image, timer));
  auto observed = [&]() -> Result<Observed> {
    TRY(rehearse(*vm, recipe, limits_));
    return vm->observe(deadlineIn(limits_.reply));
  }();
  vm->end();
  return observed;
}

// By a VM without a guest: what it makes decides what clones execute.
Status Trials::prepareCode(const std::vector<Observed>& trials, CloneFiles& files) const {
  std::vector<std::vector<std::byte>> hints;
  for (const Observed& trial : trials) {
    if (!trial.codeHints.empty()) hints.push_back(trial.codeHints);
  }
  if (hints.empty()) return {};
  const Vm vm = TRY(vms_.spawn(VmPurpose::tenants));
  auto code = vm->prepareCode(files, hints, deadlineIn(limits_.save));
  vm->end();
  files.code = TRY(std::move(code));
  return {};
}

}  // namespace qm::pool
