// How VMM processes come to be. A resource behind an interface: in a jail by way of the spawner, or plainly.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "api/daemon/vm/vm_folder.h"
#include "vmm/os/process.h"
#include "vmm/result/result.h"

namespace qm {

// Threads: any.
class VmmLauncher {
 public:
  virtual ~VmmLauncher() = default;
  // Starts the VMM with the folder as its working directory. It outlives us.
  virtual Result<Process> launch(const VmFolder& folder, const std::vector<std::string>& arguments) = 0;
  // Once it was killed: waits for its end and takes it from the kernel.
  virtual void reap(const Process& process) = 0;
};

// A child without a jail.
class PlainLauncher final : public VmmLauncher {
 public:
  explicit PlainLauncher(std::filesystem::path vmm) : vmm_(std::move(vmm)) {}
  Result<Process> launch(const VmFolder& folder, const std::vector<std::string>& arguments) override {
    return Process::start(
        {.executable = vmm_, .arguments = arguments, .folder = folder.path, .output = folder.console()});
  }
  void reap(const Process& process) override { process.reap(); }

 private:
  std::filesystem::path vmm_;
};

}  // namespace qm
