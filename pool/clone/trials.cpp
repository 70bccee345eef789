#include "pool/clone/trials.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <string>
#include <utility>

#include "pool/random/random_nonce.h"

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
  std::vector<Vm> clones;
  Result<std::vector<Observed>> outcome = observe(recipe, image, progress, clones).during("trying a clone");
  for (const Vm& clone : clones) clone->end();
  const std::vector<Observed> trials = TRY(std::move(outcome));
  image.files->workingSet = stable(trials);
  progress("preparing code");
  return prepareCode(trials, *image.files).during("preparing code");
}

Result<std::vector<Observed>> Trials::observe(const Recipe& recipe, const TemplateImage& image,
                                              const Progress& progress, std::vector<Vm>& clones) const {
  for (std::size_t i = 0; i < kTrials; ++i) {
    progress("trying a clone, " + std::to_string(i + 1) + " of " + std::to_string(kTrials));
    PhaseTimer timer(clock_);
    clones.push_back(TRY(maker_.restoreToObserve(recipe, image, timer)));
    TRY(rehearse(*clones.back(), recipe, limits_));
  }
  progress("leaving clones alone");
  leaveAlone();
  std::vector<Observed> trials;
  for (const Vm& clone : clones) {
    (void)TRY(clone->ping(randomNonce(), deadlineIn(limits_.reply)).during("asking it after a rest"));
    trials.push_back(TRY(clone->observe(deadlineIn(limits_.reply))));
  }
  return trials;
}

void Trials::leaveAlone() const {
  std::mutex mutex;
  std::condition_variable nobody;
  std::unique_lock lock(mutex);
  // If it comes back early, less is learned.
  clock_.waitUntil(nobody, lock, clock_.now() + kLeftAlone);
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
