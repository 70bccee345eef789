#include "vmm/boot/command_line.h"

#include <fmt/format.h>

#include "vmm/boot/memory_map.h"

namespace qm::boot {

Result<std::string> commandLine(const std::string& arguments, const std::vector<MmioDeviceHint>& devices) {
  if (arguments.contains('\0')) return Error(Remedy::fixInput, "the kernel's command line has a NUL byte");
  std::string line = arguments;
  for (const MmioDeviceHint& device : devices) {
    line += fmt::format("{}virtio_mmio.device=4K@{:#x}:{}", line.empty() ? "" : " ", device.base.value, device.gsi);
  }
  if (line.size() >= kCommandLineBytes) {
    return Error(Remedy::fixInput, fmt::format("the kernel's command line has {} bytes with its {} devices; {} fit",
                                               line.size(), devices.size(), kCommandLineBytes - 1));
  }
  return line;
}

}  // namespace qm::boot
