#include "vmm/cgroup/hierarchies.h"

#include <algorithm>
#include <optional>

namespace qm {

namespace {

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

struct Mount {
  CgroupVersion version = CgroupVersion::v1;
  std::string root;  // which group is at the mount's top
  std::string top;
  std::vector<std::string> options;  // of the file system: its controllers are among them
};

// "36 35 98:0 /root /mount rw,noatime master:1 - cgroup source rw,memory": from " - " on, fields count anew.
std::optional<Mount> mountOf(std::string_view line) {
  const std::size_t middle = line.find(" - ");
  if (middle == std::string_view::npos) return std::nullopt;
  const std::vector<std::string> before = split(line.substr(0, middle), ' ');
  const std::vector<std::string> after = split(line.substr(middle + 3), ' ');
  if (before.size() < 5 || after.size() < 3 || !after.front().starts_with("cgroup")) return std::nullopt;
  return Mount{.version = after.front() == "cgroup2" ? CgroupVersion::v2 : CgroupVersion::v1,
               .root = before[3],
               .top = before[4],
               .options = split(after[2], ',')};
}

// "4:memory:/user/1", and "0::/user/1" of version 2. A path may hold colons.
struct OwnGroup {
  std::vector<std::string> controllers;
  std::string path;
};
std::optional<OwnGroup> ownGroupOf(std::string_view line) {
  const std::size_t first = line.find(':');
  const std::size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  return OwnGroup{.controllers = split(line.substr(first + 1, second - first - 1), ','),
                  .path = std::string(line.substr(second + 1))};
}

bool belongTogether(const Mount& mount, const OwnGroup& group) {
  if (mount.version == CgroupVersion::v2) return group.controllers.empty();
  return !group.controllers.empty() && std::ranges::all_of(group.controllers, [&mount](const std::string& each) {
    return std::ranges::find(mount.options, each) != mount.options.end();
  });
}

std::optional<std::filesystem::path> below(const Mount& mount, const std::string& group) {
  // A group above the cgroup namespace's root is told as "/..".
  if (group.starts_with("/..") || mount.root.starts_with("/..")) return std::nullopt;
  std::string_view rest = group;
  if (mount.root != "/") {
    if (!rest.starts_with(mount.root)) return std::nullopt;
    rest.remove_prefix(mount.root.size());
    if (!rest.empty() && !rest.starts_with('/')) return std::nullopt;
  }
  while (rest.starts_with('/')) rest.remove_prefix(1);
  return rest.empty() ? std::filesystem::path(mount.top) : std::filesystem::path(mount.top) / rest;
}

}  // namespace

std::vector<Hierarchy> hierarchiesFrom(std::string_view mountinfo, std::string_view ownGroups) {
  std::vector<OwnGroup> groups;
  for (const std::string& line : split(ownGroups, '\n')) {
    if (auto group = ownGroupOf(line)) groups.push_back(*std::move(group));
  }
  std::vector<Hierarchy> hierarchies;
  for (const std::string& line : split(mountinfo, '\n')) {
    const std::optional<Mount> mount = mountOf(line);
    if (!mount) continue;
    const auto group =
        std::ranges::find_if(groups, [&mount](const OwnGroup& each) { return belongTogether(*mount, each); });
    if (group == groups.end()) continue;
    const auto own = below(*mount, group->path);
    if (!own) continue;
    hierarchies.push_back(
        {.version = mount->version, .controllers = group->controllers, .top = mount->top, .own = *own});
  }
  return hierarchies;
}

}  // namespace qm
