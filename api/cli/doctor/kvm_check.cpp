#include "api/cli/doctor/kvm_check.h"

#include "vmm/os/file_descriptor.h"

namespace qm::cli {

Finding checkKvm() {
  const Result<FileDescriptor> device = openFile("/dev/kvm", OpenMode::readWrite);
  if (!device.has_value()) {
    return {.what = "KVM",
            .state = Finding::State::missing,
            .found = device.error().text(),
            .remedy =
                "Load kvm_intel or kvm_amd, give this user the device (group kvm), or use a host with virtualisation."};
  }
  return {.what = "KVM",
          .state = Finding::State::limited,
          .found = "/dev/kvm opens; whether it runs kernels at hardware speed was not tried",
          .remedy =
              "Boot a template (quickmatch template build NAME): where kernel mode is emulated, it does not come up."};
}

}  // namespace qm::cli
