// A machine that is being described, before it starts: each set() replaces what had the same id or was set before.
// Errors are fixInput in Firecracker's words, and change nothing.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/vmm/request/request.h"
#include "vmm/machine/machine_config.h"
#include "vmm/result/result.h"

namespace qm::vmm {

class Configuration {
 public:
  Status set(const MachineShape& shape);
  Status set(const BootFiles& files);
  Status set(const BlockConfig& drive);
  Status set(const NetConfig& net);
  Status set(const VsockConfig& vsock);
  Status set(const AddEntropy& entropy);

  const MachineShape& shape() const { return shape_; }
  // Whether anything was set, or tried to: no snapshot is loaded over a machine that is half described.
  bool isTouched() const { return touched_; }

  // fixInput: no kernel is named.
  Result<MachineConfig> machine() const;

 private:
  std::string bootArguments() const;
  const BlockConfig* root() const;

  bool touched_ = false;
  MachineShape shape_;
  std::optional<BootFiles> files_;
  std::vector<BlockConfig> drives_;  // in the order in which they were first named
  std::vector<NetConfig> nets_;
  std::optional<VsockConfig> vsock_;
  bool hasEntropy_ = false;
};

}  // namespace qm::vmm
