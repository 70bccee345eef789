#include "api/daemon/vm/vmm_launcher.h"

#include <chrono>
#include <string>
#include <system_error>

#include "api/daemon/vm/vm_limits.h"
#include "api/vmm/control/control_values.h"
#include "vmm/os/message_socket.h"
#include "vmm/slot/slot_writer.h"

namespace qm {

namespace {

// A guest's boot writes some 20 KiB.
constexpr const char* kConsoleMib = "1";

}  // namespace

Result<std::unique_ptr<VmmLauncher>> VmmLauncher::start(const LauncherSettings& settings) {
  SpawnerClient spawner =
      TRY(SpawnerClient::start(settings.spawner, {.isolation = settings.isolation, .cgroups = settings.cgroups}));
  spawner::Groups groups = TRY(spawner.groups());
  return std::unique_ptr<VmmLauncher>(new VmmLauncher(std::move(spawner), settings, std::move(groups)));
}

VmmLauncher::VmmLauncher(SpawnerClient spawner, LauncherSettings settings, spawner::Groups groups)
    : spawner_(std::move(spawner)),
      settings_(std::move(settings)),
      slots_(spawner_, settings_.networkSlots, settings_.log),
      proxy_(settings_.log),
      groups_(std::move(groups)),
      expected_(limitsOfBlank()) {}

Status VmmLauncher::limit(const Process& process, const CgroupLimits& limits) const {
  if (groups_.controllers.empty()) return {};
  return spawner_.limit(process, limits);
}

void VmmLauncher::expect(const CgroupLimits& limits) {
  const std::lock_guard lock(expectedMutex_);
  expected_ = limits;
}

CgroupLimits VmmLauncher::expected() const {
  const std::lock_guard lock(expectedMutex_);
  return expected_;
}

JailPlan VmmLauncher::jailFor(const VmFolder& folder) const {
  JailPlan plan{.folder = folder.path};
  for (const std::filesystem::path& path : settings_.folders) plan.readOnly.push_back({.host = path, .inside = path});
  if (settings_.backend != Backend::kvm) return plan;
  // A host without the device is not the jail's to refuse: the VMM says so when it is to run a guest.
  std::error_code ignored;
  if (std::filesystem::exists(pathOf(JailDevice::kvm), ignored)) plan.devices.push_back(JailDevice::kvm);
  return plan;
}

Result<VmmLauncher::Launched> VmmLauncher::launch(const VmFolder& folder, std::string_view id,
                                                  NewFiles newFiles) const {
  constexpr int kControl = vmm::control::kSocketNumber;
  constexpr int kSlot = slot::kDescriptorNumber;
  std::vector<std::string> arguments{"--control",
                                     std::to_string(kControl),
                                     "--slot",
                                     std::to_string(kSlot),
                                     "--id",
                                     std::string(id),
                                     "--hypervisor",
                                     std::string(name(settings_.backend)),
                                     "--console-limit",
                                     kConsoleMib};
  if (settings_.seccomp != seccomp::defaultLevel()) {
    arguments.insert(arguments.end(), {"--seccomp-level", std::to_string(static_cast<int>(settings_.seccomp))});
  }
  if (!settings_.hostCounter.empty()) arguments.insert(arguments.end(), {"--host-counter", settings_.hostCounter});
  JailPlan jail = jailFor(folder);
  jail.newFiles = newFiles;
  jail.limits = expected();
  const CgroupLimits limits = jail.limits;
  const FileDescriptor console = TRY(openFile(folder.console(), OpenMode::append));
  auto [ours, theirs] = TRY(messageSocketPair());
  slot::SlotPage page = TRY(slot::SlotPage::make());
  constexpr int kStandardOutput = 1;
  constexpr int kStandardError = 2;
  Process process = TRY(spawner_.spawn({.executable = settings_.vmm,
                                        .arguments = std::move(arguments),
                                        .jail = std::move(jail),
                                        .descriptors = {{.ours = console.get(), .number = kStandardOutput},
                                                        {.ours = console.get(), .number = kStandardError},
                                                        {.ours = theirs.get(), .number = kControl},
                                                        {.ours = page.file().get(), .number = kSlot}}}));
  page.closeFile();
  return Launched{.process = std::move(process), .control = std::move(ours), .slot = std::move(page), .limits = limits};
}

void VmmLauncher::awaitEnd(const Process& process) const {
  constexpr std::chrono::seconds kPatience{10};
  static_cast<void>(process.waitForEnd(std::chrono::steady_clock::now() + kPatience));
}

// A spawner that is lost leaves its children to init, which reaps them; a killed process ends all the same.
std::optional<spawner::Ended> VmmLauncher::reap(const Process& process) const {
  const Result<spawner::Ended> ended = spawner_.reap(process, std::chrono::steady_clock::now());
  return ended.has_value() ? std::optional(*ended) : std::nullopt;
}

MemoryShortage VmmLauncher::memoryShortage(const Process& process) const {
  if (groups_.controllers.empty()) return MemoryShortage::none;
  return spawner_.memoryShortage(process).value_or(MemoryShortage::none);
}

}  // namespace qm
