#include "api/daemon/vm/microvm_spawner.h"

#include "api/daemon/vm/microvm.h"

namespace qm {

Result<std::unique_ptr<pool::VmProcess>> MicrovmSpawner::spawn(std::string_view id, pool::VmPurpose purpose) {
  const VmFolder folder = TRY(makeVmFolder(vms_, id));
  Result<VmmLauncher::Launched> launched =
      launcher_.launch(folder, id, purpose == pool::VmPurpose::snapshot ? NewFiles::allowed : NewFiles::denied);
  if (!launched.has_value()) {
    removeVmFolder(folder);
    return std::move(launched).error().during("starting the VM's process");
  }
  log_.debug("vm.spawned", {{"id", id}, {"pid", launched->process.pid()}});
  auto vm = std::make_unique<Microvm>(std::string(id), folder, std::move(launched).value(), launcher_, accounts_);
  // From here on the VM ends itself and its folder if something fails.
  TRY(rememberProcess(folder, static_cast<pid_t>(vm->pid())).during("writing down which process the VM is"));
  return std::unique_ptr<pool::VmProcess>(std::move(vm));
}

}  // namespace qm
