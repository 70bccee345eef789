#include "api/vmm/configuration/configuration.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace qm::vmm {

namespace {

// Firecracker's own, for whoever names none, and no accounting of memory by cgroup: a seventh of what an exec costs the
// guest (docs/hot-path.md).
constexpr std::string_view kDefaultBootArguments =
    "reboot=k panic=1 nomodule 8250.nr_uarts=0 i8042.noaux i8042.nomux i8042.dumbkbd swiotlb=noforce "
    "cgroup_disable=memory";

template <class Config>
void replaceOrAdd(std::vector<Config>& configs, const Config& config) {
  const auto same = std::ranges::find(configs, config.id, &Config::id);
  if (same == configs.end()) {
    configs.push_back(config);
  } else {
    *same = config;
  }
}

bool namesRoot(std::string_view arguments) {
  return arguments.starts_with("root=") || arguments.find(" root=") != std::string_view::npos;
}

}  // namespace

Status Configuration::set(const MachineShape& shape) {
  touched_ = true;
  shape_ = shape;
  return {};
}

Status Configuration::set(const BootFiles& files) {
  touched_ = true;
  files_ = files;
  return {};
}

Status Configuration::set(const BlockConfig& drive) {
  touched_ = true;
  const BlockConfig* other = root();
  if (drive.isRoot && other != nullptr && other->id != drive.id)
    return Error(Remedy::fixInput, "A root block device already exists!");
  replaceOrAdd(drives_, drive);
  return {};
}

Status Configuration::set(const NetConfig& net) {
  touched_ = true;
  const bool taken = net.mac && std::ranges::any_of(nets_, [&](const NetConfig& other) {
                       return other.id != net.id && other.mac == net.mac;
                     });
  if (taken) {
    return Error(Remedy::fixInput, fmt::format("The MAC address is already in use: {:02x}", fmt::join(*net.mac, ":")));
  }
  replaceOrAdd(nets_, net);
  return {};
}

Status Configuration::set(const VsockConfig& vsock) {
  touched_ = true;
  vsock_ = vsock;
  return {};
}

Status Configuration::set(const AddEntropy& /*entropy*/) {
  touched_ = true;
  hasEntropy_ = true;
  return {};
}

const BlockConfig* Configuration::root() const {
  const auto found = std::ranges::find_if(drives_, &BlockConfig::isRoot);
  return found == drives_.end() ? nullptr : &*found;
}

// The kernel is told of the root device, unless the caller told it already.
std::string Configuration::bootArguments() const {
  std::string arguments = files_->bootArguments.value_or(std::string(kDefaultBootArguments));
  const BlockConfig* drive = root();
  if (drive == nullptr || namesRoot(arguments)) return arguments;
  if (!arguments.empty()) arguments += ' ';
  return arguments + "root=/dev/vda " + (drive->readOnly ? "ro" : "rw");
}

Result<MachineConfig> Configuration::machine() const {
  if (!files_) return Error(Remedy::fixInput, "Cannot start microvm without kernel configuration.");
  return MachineConfig{.vcpus = shape_.vcpus,
                       .memoryBytes = shape_.memoryMib << 20U,
                       .cpuTemplate = shape_.cpuTemplate,
                       .kernel = files_->kernel,
                       .initrd = files_->initrd,
                       .bootArguments = bootArguments(),
                       .protocol = boot::Protocol::automatic,
                       .blocks = drives_,
                       .nets = nets_,
                       .vsock = vsock_,
                       .entropyDevices = hasEntropy_ ? 1U : 0U};
}

}  // namespace qm::vmm
