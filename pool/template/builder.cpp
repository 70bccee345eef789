#include "pool/template/builder.h"

namespace qm::pool {

Result<TemplateImage> TemplateBuilder::prepare(const Recipe& recipe, SnapshotSource source,
                                               const Progress& progress) const {
  if (source == SnapshotSource::shelf) {
    progress("looking for a snapshot");
    const auto found = shelf_.find(recipe);
    if (found && *found) {
      progress("verifying");
      auto sealed = seal(**found, recipe);
      if (sealed) return sealed;
      progress("leaving a snapshot that is not usable: " + sealed.error().text());
      // A build replaces it. If it cannot be removed, it is found again and refused again.
      static_cast<void>(shelf_.remove(**found));
    }
  }
  return build(recipe, progress).during("building template " + recipe.name);
}

Result<TemplateImage> TemplateBuilder::build(const Recipe& recipe, const Progress& progress) const {
  progress("starting");
  const StagedSnapshot staged = TRY(shelf_.stage());
  auto image = [&]() -> Result<TemplateImage> {
    const Vm vm = TRY(vms_.spawn(VmPurpose::snapshot));
    auto frozen = freeze(*vm, recipe, staged, progress);
    vm->end();
    return frozen;
  }();
  if (!image) {
    shelf_.discard(staged);
    return image;
  }
  progress("verifying");
  auto sealed = seal(*image, recipe);
  if (!sealed) static_cast<void>(shelf_.remove(*image));
  return sealed;
}

Result<TemplateImage> TemplateBuilder::seal(TemplateImage image, const Recipe& recipe) const {
  image.files = TRY(shelf_.seal(image, recipe));
  return image;
}

Result<TemplateImage> TemplateBuilder::freeze(VmProcess& vm, const Recipe& recipe, const StagedSnapshot& staged,
                                              const Progress& progress) const {
  progress("booting");
  TRY(bootGuest(vm, recipe, limits_));
  TRY(connectBooted(vm, limits_));
  const std::uint64_t guestNonce = TRY(learnGuestNonce(vm, limits_));
  TRY(warmUp(vm, recipe, limits_, progress));
  // A guest that the warm-up has broken would break every clone.
  TRY(provesMemory(vm, guestNonce, limits_));
  progress("saving");
  TRY(vm.pauseAndSave(staged.state, staged.memory, deadlineIn(limits_.save)).during("saving"));
  progress("publishing");
  return shelf_.publish(staged, recipe, guestNonce);
}

}  // namespace qm::pool
