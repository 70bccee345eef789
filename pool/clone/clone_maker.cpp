#include "pool/clone/clone_maker.h"

#include <utility>

#include "pool/clone/identity.h"

namespace qm::pool {
namespace {

// The VM, or its end.
Result<Vm> finished(Vm vm, Status status) {
  if (status) return vm;
  vm->end();
  return std::move(status).error();
}

}  // namespace

Result<Vm> CloneMaker::restore(const Recipe& recipe, const TemplateImage& image, Vm blank, PhaseTimer& timer) const {
  if (blank == nullptr)
    blank = TRY(timer.time(Phase::spawn, [&] { return vms_.spawn(VmPurpose::tenants).during("spawning"); }));
  Status status = restoreInto(*blank, recipe, image, Observing::no, Phase::restore, timer);
  return finished(std::move(blank), std::move(status));
}

Result<Vm> CloneMaker::reset(const Recipe& recipe, const TemplateImage& image, Vm used, PhaseTimer& timer) const {
  Status status = restoreInto(*used, recipe, image, Observing::no, Phase::reset, timer);
  return finished(std::move(used), std::move(status));
}

Result<Vm> CloneMaker::restoreToObserve(const Recipe& recipe, const TemplateImage& image, PhaseTimer& timer) const {
  Vm vm = TRY(timer.time(Phase::spawn, [&] { return vms_.spawn(VmPurpose::tenants).during("spawning"); }));
  Status status = restoreInto(*vm, recipe, image, Observing::yes, Phase::restore, timer);
  return finished(std::move(vm), std::move(status));
}

Result<Vm> CloneMaker::boot(const Recipe& recipe, PhaseTimer& timer) const {
  Vm vm = TRY(timer.time(Phase::spawn, [&] { return vms_.spawn(VmPurpose::tenants).during("spawning"); }));
  Status status = bootInto(*vm, recipe, timer);
  return finished(std::move(vm), std::move(status));
}

Status CloneMaker::restoreInto(VmProcess& vm, const Recipe& recipe, const TemplateImage& image, Observing observing,
                               Phase how, PhaseTimer& timer) const {
  const RestorePlan plan{.snapshot = image.folder,
                         .files = image.files,
                         .observing = observing,
                         .memoryBytes = recipe.memoryBytes,
                         .templateName = recipe.name,
                         .limits = recipe.limits,
                         .network = recipe.network};
  TRY(timer.time(how, [&] { return vm.restore(plan, deadlineIn(limits_.restore)).during(name(how)); }));
  TRY(timer.time(Phase::connect, [&] { return vm.connectAgent(deadlineIn(limits_.reply)).during("connecting"); }));
  return renewAndProve(vm, recipe, image.guestNonce, timer);
}

Status CloneMaker::bootInto(VmProcess& vm, const Recipe& recipe, PhaseTimer& timer) const {
  TRY(timer.time(Phase::boot, [&] { return bootGuest(vm, recipe, limits_); }));
  TRY(timer.time(Phase::connect, [&] { return connectBooted(vm, limits_); }));
  const std::uint64_t guestNonce = TRY(timer.time(Phase::ping, [&] { return learnGuestNonce(vm, limits_); }));
  TRY(timer.time(Phase::warmUp, [&] { return warmUp(vm, recipe, limits_, [](std::string_view) {}); }));
  return renewAndProve(vm, recipe, guestNonce, timer);
}

Status CloneMaker::renewAndProve(VmProcess& vm, const Recipe& recipe, std::uint64_t guestNonce,
                                 PhaseTimer& timer) const {
  const agent::Renew identity = freshIdentity(recipe, vm.id(), clock_.wallNow());
  const agent::Renewed renewed =
      TRY(timer.time(Phase::renew, [&] { return vm.renew(identity, deadlineIn(limits_.renew)).during("renewing"); }));
  if (renewed.guestNonce != guestNonce) {
    return Error(Remedy::giveUp, "the guest that was renewed is not the template's: its nonce differs");
  }
  // Renewed and answered in one exchange; an agent that does not echo the nonce is asked once more.
  if (renewed.nonce == identity.nonce) return {};
  return timer.time(Phase::ping, [&] { return provesMemory(vm, guestNonce, limits_); });
}

}  // namespace qm::pool
