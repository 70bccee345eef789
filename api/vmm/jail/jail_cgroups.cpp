#include "api/vmm/jail/jail_cgroups.h"

#include <fcntl.h>

#include <cerrno>
#include <set>
#include <string_view>
#include <system_error>

#include "vmm/os/file_descriptor.h"

namespace qm::vmm {

namespace {

const std::filesystem::path kHierarchies = "/sys/fs/cgroup";

// "memory" of "memory.max"
std::string controllerOf(const CgroupSetting& setting) {
  return setting.file.substr(0, setting.file.find('.'));
}

std::filesystem::path hierarchyOf(const JailOptions& options, const CgroupSetting& setting) {
  return options.cgroupVersion == CgroupVersion::v2 ? kHierarchies : kHierarchies / controllerOf(setting);
}

Status put(const std::filesystem::path& file, std::string_view text) {
  const FileDescriptor open(::open(file.c_str(), O_WRONLY | O_CLOEXEC));
  if (!open.isOpen()) return systemError(Remedy::fixInput, "open " + file.string(), errno);
  return writeAll(open, std::as_bytes(std::span(text))).during("writing " + file.string());
}

// In version 2 a controller serves a group once its parents pass it on.
Status passOn(const std::filesystem::path& group, const std::string& controller) {
  for (std::filesystem::path above = group.parent_path(); above != kHierarchies.parent_path();
       above = above.parent_path()) {
    if (above == kHierarchies) return put(above / "cgroup.subtree_control", "+" + controller);
  }
  return {};
}

Status make(const JailOptions& options, const CgroupSetting& setting, const std::filesystem::path& group) {
  std::error_code failure;
  std::filesystem::create_directories(group, failure);
  if (failure) return systemError(Remedy::fixInput, "mkdir " + group.string(), failure.value());
  if (options.cgroupVersion == CgroupVersion::v2) {
    const std::string controller = controllerOf(setting);
    TRY(passOn(group, controller));
    TRY(put(group.parent_path() / "cgroup.subtree_control", "+" + controller));
  }
  return put(group / setting.file, setting.value);
}

}  // namespace

Status enterCgroups(const JailOptions& options) {
  std::set<std::filesystem::path> groups;
  for (const CgroupSetting& setting : options.cgroups) {
    const std::filesystem::path group = hierarchyOf(options, setting) / options.parentCgroup / options.id;
    TRY(make(options, setting, group));
    groups.insert(group);
  }
  // 0 is whoever writes it.
  for (const std::filesystem::path& group : groups) TRY(put(group / "cgroup.procs", "0"));
  return {};
}

}  // namespace qm::vmm
