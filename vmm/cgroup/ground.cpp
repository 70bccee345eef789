#include "vmm/cgroup/ground.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <sstream>
#include <system_error>
#include <utility>

#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm {

namespace {

constexpr std::string_view kPrefix = "quickmatch-";

std::string makersName() {
  return std::string(kPrefix) + std::to_string(::getpid());
}

bool isMakersName(const std::string& name) {
  return name.starts_with(kPrefix) && name.size() > kPrefix.size() &&
         name.find_first_not_of("0123456789", kPrefix.size()) == std::string::npos;
}

Result<FileDescriptor> lockFolder(const std::filesystem::path& folder) {
  FileDescriptor open(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!open.isOpen()) return systemError("open " + folder.string(), errno);
  TRY(lockExclusively(open));
  return open;
}

std::vector<std::string> foldersIn(const std::filesystem::path& above) {
  std::error_code failure;
  std::vector<std::string> names;
  for (std::filesystem::directory_iterator each(above, failure), end; !failure && each != end;
       each.increment(failure)) {
    if (each->path().filename().native().starts_with(kPrefix)) names.push_back(each->path().filename());
  }
  return names;
}

// A group in which somebody still is refuses, and its maker's stays with it.
void removeAbandoned(const std::filesystem::path& above) {
  const std::vector<std::string> names = foldersIn(above);
  for (const std::string& maker : names) {
    if (!isMakersName(maker)) continue;
    const Result<FileDescriptor> lock = lockFolder(above / maker);
    if (!lock.has_value()) continue;
    bool isEmpty = true;
    for (const std::string& group : names) {
      if (group.starts_with(maker + "-") && ::rmdir((above / group).c_str()) < 0) isEmpty = false;
    }
    if (isEmpty) ::rmdir((above / maker).c_str());
  }
}

// A file of names with blanks between them, and a line's end.
bool lists(const std::filesystem::path& file, Controller controller) {
  std::istringstream names(readKernelFile(file).value_or(""));
  const std::istream_iterator<std::string> first(names);
  return std::find(first, {}, nameOf(controller)) != std::istream_iterator<std::string>();
}

// Of version 2.
Status passOn(const std::filesystem::path& above, Controller controller) {
  const std::filesystem::path passed = above / "cgroup.subtree_control";
  if (lists(passed, controller)) return {};
  return writeKernelFile(passed, std::string("+") + nameOf(controller));
}

bool hasProcesses(const std::filesystem::path& group) {
  return !readKernelFile(group / "cgroup.procs").value_or("?").empty();
}

// The group itself, or the service's above it.
std::filesystem::path groundOf(const Hierarchy& hierarchy) {
  if (hierarchy.version == CgroupVersion::v1 || hierarchy.own == hierarchy.top || !hasProcesses(hierarchy.own)) {
    return hierarchy.own;
  }
  const std::filesystem::path above = hierarchy.own.parent_path();
  const bool isService = above.extension() == ".service" || above.extension() == ".scope";
  return isService && !hasProcesses(above) ? above : hierarchy.own;
}

std::string remedyFor(const Error& error, CgroupVersion version) {
  const bool isBusy = error.text().find("Device or resource busy") != std::string::npos;
  if (version == CgroupVersion::v2 && isBusy) {
    return error.text() +
           ": version 2 wants a group without processes of its own above the VMs'; as a systemd service set "
           "Delegate=yes and DelegateSubgroup=daemon.";
  }
  return error.text() + ": start the daemon as root, or as a systemd service with Delegate=yes.";
}

// The one of version 2 that has controllers, and of version 1 that of the controller itself.
const Hierarchy* hierarchyOf(const std::vector<Hierarchy>& hierarchies, Controller controller) {
  for (const Hierarchy& each : hierarchies) {
    if (each.version == CgroupVersion::v1 &&
        std::ranges::find(each.controllers, nameOf(controller)) != each.controllers.end())
      return &each;
  }
  for (const Hierarchy& each : hierarchies) {
    if (each.version == CgroupVersion::v2 && lists(each.own / "cgroup.controllers", controller)) return &each;
  }
  return nullptr;
}

// Makes the maker's own group, locked.
Result<CgroupGround::Place> open(const Hierarchy& hierarchy) {
  CgroupGround::Place place{.version = hierarchy.version, .above = groundOf(hierarchy)};
  place.lockFolder = place.above / makersName();
  removeAbandoned(place.above);
  if (::mkdir(place.lockFolder.c_str(), 0755) < 0 && errno != EEXIST) {
    return systemError("mkdir " + place.lockFolder.string(), errno);
  }
  place.lock = TRY(lockFolder(place.lockFolder));
  return place;
}

// The controller's file is there in a group that was made.
Status holds(const CgroupGround::Place& place, Controller controller) {
  if (place.version == CgroupVersion::v2) TRY(passOn(place.above, controller));
  const std::filesystem::path file = place.lockFolder / settingOf(controller, place.version, {}).file;
  if (::access(file.c_str(), W_OK) < 0) return systemError("access " + file.string(), errno);
  return {};
}

}  // namespace

CgroupGround CgroupGround::find() {
  return on(hierarchiesFrom(readKernelFile("/proc/self/mountinfo", std::size_t{1} << 20U).value_or(""),
                            readKernelFile("/proc/self/cgroup").value_or("")));
}

CgroupGround CgroupGround::on(const std::vector<Hierarchy>& hierarchies) {
  CgroupGround ground;
  std::vector<std::pair<const Hierarchy*, std::size_t>> opened;
  for (const Controller controller : kControllers) {
    const Hierarchy* const hierarchy = hierarchyOf(hierarchies, controller);
    if (hierarchy == nullptr) {
      ground.lacks_.push_back({controller, std::string("no hierarchy here has the controller ") +
                                               qm::nameOf(controller) +
                                               ": mount a cgroup2 file system with it at /sys/fs/cgroup."});
      continue;
    }
    auto known = std::ranges::find(opened, hierarchy, [](const auto& each) { return each.first; });
    if (known == opened.end()) {
      Result<Place> place = open(*hierarchy);
      if (!place.has_value()) {
        ground.lacks_.push_back({controller, remedyFor(place.error(), hierarchy->version)});
        continue;
      }
      ground.places_.push_back(std::move(place).value());
      known = opened.insert(opened.end(), {hierarchy, ground.places_.size() - 1});
    }
    Place& place = ground.places_[known->second];
    const Status held = holds(place, controller);
    if (held.has_value()) {
      place.controllers.push_back(controller);
    } else {
      ground.lacks_.push_back({controller, remedyFor(held.error(), hierarchy->version)});
    }
  }
  return ground;
}

CgroupGround::~CgroupGround() {
  for (const Place& place : places_) {
    const bool hasGroups = std::ranges::any_of(foldersIn(place.above), [&place](const std::string& name) {
      return name.starts_with(place.lockFolder.filename().string() + "-");
    });
    if (!hasGroups) ::rmdir(place.lockFolder.c_str());
  }
}

std::vector<Controller> CgroupGround::controllers() const {
  std::vector<Controller> all;
  for (const Place& place : places_) all.insert(all.end(), place.controllers.begin(), place.controllers.end());
  return all;
}

std::string CgroupGround::nameOf(std::uint32_t number) {
  return makersName() + "-" + std::to_string(number);
}

}  // namespace qm
