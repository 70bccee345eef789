// Starts blanks: VMM processes that wait for their guest.
#pragma once

#include <filesystem>

#include "api/daemon/vm/vm_account.h"
#include "api/daemon/vm/vmm_launcher.h"
#include "pool/vm/vm_process.h"
#include "vmm/log/log.h"

namespace qm {

class MicrovmSpawner final : public pool::VmSpawner {
 public:
  // `vms` is there; launcher and accounts outlive this and every VM.
  MicrovmSpawner(std::filesystem::path vms, VmmLauncher& launcher, VmAccounts& accounts, Log log)
      : vms_(std::move(vms)), launcher_(launcher), accounts_(accounts), log_(std::move(log)) {}

  Result<std::unique_ptr<pool::VmProcess>> spawn(std::string_view id, pool::VmPurpose purpose) override;

 private:
  std::filesystem::path vms_;
  VmmLauncher& launcher_;
  VmAccounts& accounts_;
  Log log_;
};

}  // namespace qm
