#include "vmm/cgroup/cgroup.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "vmm/cgroup/cgroup_file.h"

namespace qm {

Result<Cgroup> Cgroup::make(const CgroupGround& ground, std::uint32_t number) {
  Cgroup group;
  for (const CgroupGround::Place& place : ground.places()) {
    if (place.controllers.empty()) continue;
    const std::filesystem::path folder = place.above / CgroupGround::nameOf(number);
    if (::mkdir(folder.c_str(), 0755) < 0) return systemError(Remedy::retry, "mkdir " + folder.string(), errno);
    group.parts_.push_back({.version = place.version, .folder = folder, .controllers = place.controllers});
    // One VM is one thing: where memory is short all of its processes end, not the largest.
    const bool hasMemory = std::ranges::find(place.controllers, Controller::memory) != place.controllers.end();
    if (hasMemory && place.version == CgroupVersion::v2) TRY(writeKernelFile(folder / "memory.oom.group", "1"));
  }
  return group;
}

Cgroup& Cgroup::operator=(Cgroup&& other) noexcept {
  remove();
  parts_ = std::exchange(other.parts_, {});
  told_ = other.told_;
  return *this;
}

void Cgroup::remove() {
  for (const Part& part : parts_) ::rmdir(part.folder.c_str());
  parts_.clear();
}

Status Cgroup::limit(const CgroupLimits& limits) {
  if (told_ == limits) return {};
  const std::optional<CgroupLimits> before = std::exchange(told_, std::nullopt);
  for (const Part& part : parts_) {
    for (const Controller controller : part.controllers) {
      const CgroupSetting setting = settingOf(controller, part.version, limits);
      if (before && setting == settingOf(controller, part.version, *before)) continue;
      TRY(writeKernelFile(part.folder / setting.file, setting.value));
    }
  }
  told_ = limits;
  return {};
}

Result<FileDescriptor> Cgroup::openForClone() const {
  for (const Part& part : parts_) {
    if (part.version != CgroupVersion::v2) continue;
    FileDescriptor folder(::open(part.folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder.isOpen()) return systemError(Remedy::retry, "open " + part.folder.string(), errno);
    return folder;
  }
  return FileDescriptor();
}

// "tasks" moves one thread, and 0 is the writer itself. So the kernel need not hold all forks and exits up, which it
// does for cgroup.procs or another's number, and which takes milliseconds now and then.
Status Cgroup::enter() const {
  for (const Part& part : parts_) {
    if (part.version == CgroupVersion::v1) TRY(writeKernelFile(part.folder / "tasks", "0"));
  }
  return {};
}

const Cgroup::Part* Cgroup::withMemory() const {
  for (const Part& part : parts_) {
    if (std::ranges::find(part.controllers, Controller::memory) != part.controllers.end()) return &part;
  }
  return nullptr;
}

Result<std::uint64_t> Cgroup::chargedBytes() const {
  const Part* const part = withMemory();
  if (part == nullptr) return 0;
  return numberInCgroupFile(part->folder / chargedFile(part->version));
}

// Version 2 has both in one file. In version 1 the limit's count is of every time that it was reached, also where
// something could be taken back; so it is asked for only where something was killed.
Result<MemoryShortage> Cgroup::memoryShortage() const {
  const Part* const part = withMemory();
  if (part == nullptr) return MemoryShortage::none;
  const bool isFirst = part->version == CgroupVersion::v1;
  const std::string events = TRY(readKernelFile(part->folder / (isFirst ? "memory.oom_control" : "memory.events")));
  if (eventIn(events, "oom_kill") == 0) return MemoryShortage::none;
  const std::uint64_t limits =
      isFirst ? TRY(numberInCgroupFile(part->folder / "memory.failcnt")) : eventIn(events, "oom");
  return limits > 0 ? MemoryShortage::group : MemoryShortage::outside;
}

}  // namespace qm
