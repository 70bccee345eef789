#include "vmm/os/mount.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace qm {

namespace {

Status setAttributes(int file, const char* path, unsigned int flags, mount_attr attributes, const char* action) {
  if (::mount_setattr(file, path, flags, &attributes, sizeof attributes) < 0) return systemError(action, errno);
  return {};
}

Status configure(const FileDescriptor& context, const char* key, const std::string& value) {
  if (::fsconfig(context.get(), FSCONFIG_SET_STRING, key, value.c_str(), 0) < 0)
    return systemError(std::string("fsconfig tmpfs ") + key, errno);
  return {};
}

}  // namespace

Status makeMountsPrivate() {
  return setAttributes(AT_FDCWD, "/", AT_RECURSIVE, {.propagation = MS_PRIVATE}, "making the mounts private");
}

Result<FileDescriptor> cloneTree(const std::filesystem::path& path) {
  FileDescriptor tree(::open_tree(AT_FDCWD, path.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
  if (tree.isOpen()) return tree;
  const int reason = errno;
  const bool named = reason == ENOENT || reason == EACCES || reason == ENOTDIR || reason == ELOOP ||
                     reason == ENAMETOOLONG || reason == EINVAL;
  return systemError(named ? Remedy::fixInput : Remedy::giveUp, "open_tree " + path.string(), reason);
}

Status restrictTree(const FileDescriptor& tree, MountRights rights) {
  mount_attr attributes{.attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, .propagation = MS_PRIVATE};
  if (rights.readOnly) attributes.attr_set |= MOUNT_ATTR_RDONLY;
  if (!rights.devices) attributes.attr_set |= MOUNT_ATTR_NODEV;
  return setAttributes(tree.get(), "", AT_EMPTY_PATH, attributes, "mount_setattr");
}

Status placeTree(const FileDescriptor& tree, const std::filesystem::path& path) {
  if (::move_mount(tree.get(), "", AT_FDCWD, path.c_str(), MOVE_MOUNT_F_EMPTY_PATH) < 0)
    return systemError("move_mount to " + path.string(), errno);
  return {};
}

Result<FileDescriptor> createTmpfs(std::uint64_t bytes, std::uint64_t files) {
  const FileDescriptor context(::fsopen("tmpfs", FSOPEN_CLOEXEC));
  if (!context.isOpen()) return systemError("fsopen tmpfs", errno);
  TRY(configure(context, "size", std::to_string(bytes)));
  TRY(configure(context, "nr_inodes", std::to_string(files)));
  TRY(configure(context, "mode", "0755"));
  if (::fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) < 0)
    return systemError("fsconfig tmpfs create", errno);
  FileDescriptor tree(::fsmount(context.get(), FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC));
  if (!tree.isOpen()) return systemError("fsmount tmpfs", errno);
  return tree;
}

Status enterAsRoot(const FileDescriptor& tree) {
  // Over the old root: the one place that is there on every host. Who looks up "/" still finds what is below; the
  // descriptor finds the new mount.
  TRY(placeTree(tree, "/"));
  if (::fchdir(tree.get()) < 0) return systemError("fchdir to the new root", errno);
  // pivot_root(2), "pivot_root(".", ".")": the old root is stacked upon the new one, where umount finds it.
  if (::syscall(SYS_pivot_root, ".", ".") < 0) {
    // The initial ramfs cannot be pivoted away from.
    const char* hint =
        errno == EINVAL ? "pivot_root (is the host's own root a ramfs? use switch_root there)" : "pivot_root";
    return systemError(hint, errno);
  }
  if (::umount2(".", MNT_DETACH) < 0) return systemError("umount of the old root", errno);
  if (::chdir("/") < 0) return systemError("chdir /", errno);
  return {};
}

Status sealRoot() {
  return setAttributes(AT_FDCWD, "/", 0, {.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC},
                       "making the root read-only");
}

}  // namespace qm
