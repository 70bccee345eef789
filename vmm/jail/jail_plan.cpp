#include "vmm/jail/jail_plan.h"

#include <set>
#include <string>
#include <utility>

namespace qm {

namespace {

// A longer one does not fit PATH_MAX.
constexpr std::size_t kPathBytes = 4095;

bool isPlain(const std::filesystem::path& path) {
  return path.is_absolute() && path.native().size() <= kPathBytes && path.native().find('\0') == std::string::npos &&
         path.lexically_normal().native() == path.native() && path.has_filename();
}

Error notPlain(const std::filesystem::path& path) {
  return {Remedy::fixInput, "a path of a jail is absolute, without '.', '..' or a slash at its end; this is not: " +
                                path.string().substr(0, kPathBytes)};
}

bool isBelowFolder(const std::filesystem::path& inside) {
  return inside.native().starts_with(std::string(kFolderInside) + "/");
}

}  // namespace

std::filesystem::path pathOf(JailDevice device) {
  switch (device) {
    case JailDevice::kvm:
      return "/dev/kvm";
    case JailDevice::tun:
      return "/dev/net/tun";
    case JailDevice::userfaultfd:
      return "/dev/userfaultfd";
  }
  std::unreachable();
}

Status check(const JailPlan& plan) {
  if (plan.readOnly.size() > kJailBinds) {
    return Error(Remedy::fixInput, "a jail takes at most " + std::to_string(kJailBinds) + " read-only paths");
  }
  if (!isPlain(plan.folder)) return notPlain(plan.folder);
  std::set<std::filesystem::path> places{kFolderInside};
  const auto taken = [&places](const std::filesystem::path& place) { return !places.insert(place).second; };
  for (const ReadOnlyBind& bind : plan.readOnly) {
    if (!isPlain(bind.host)) return notPlain(bind.host);
    if (!isPlain(bind.inside)) return notPlain(bind.inside);
    if (isBelowFolder(bind.inside)) {
      return Error(Remedy::fixInput, "in a jail nothing is put into the VM's folder: " + bind.inside.string());
    }
    if (taken(bind.inside)) return Error(Remedy::fixInput, "two things of a jail are at " + bind.inside.string());
  }
  for (const JailDevice device : plan.devices) {
    if (taken(pathOf(device))) return Error(Remedy::fixInput, "two things of a jail are at " + pathOf(device).string());
  }
  return {};
}

}  // namespace qm
