#include "vmm/os/folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace qm {

namespace {

FileKind kindOf(mode_t mode) {
  if (S_ISDIR(mode)) return FileKind::folder;
  return S_ISCHR(mode) || S_ISBLK(mode) ? FileKind::device : FileKind::other;
}

}  // namespace

Result<FileFacts> factsOf(const FileDescriptor& file) {
  struct stat status{};
  if (::fstat(file.get(), &status) < 0) return systemError("fstat", errno);
  return FileFacts{.kind = kindOf(status.st_mode), .owner = status.st_uid, .device = status.st_rdev};
}

Status makeFolder(const std::filesystem::path& path) {
  if (path == path.root_path()) return {};
  if (::mkdir(path.c_str(), 0755) == 0 || errno == EEXIST) return {};
  if (errno != ENOENT) return systemError("mkdir " + path.string(), errno);
  TRY(makeFolder(path.parent_path()));
  if (::mkdir(path.c_str(), 0755) == 0 || errno == EEXIST) return {};
  return systemError("mkdir " + path.string(), errno);
}

Status makeEmptyFile(const std::filesystem::path& path) {
  TRY(makeFolder(path.parent_path()));
  const FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444));
  if (!file.isOpen()) return systemError("making " + path.string(), errno);
  return {};
}

Status makeDevice(const std::filesystem::path& path, dev_t device, gid_t group) {
  TRY(makeFolder(path.parent_path()));
  if (::mknod(path.c_str(), S_IFCHR | 0660, device) < 0) return systemError("mknod " + path.string(), errno);
  if (::chown(path.c_str(), static_cast<uid_t>(-1), group) < 0) return systemError("chown " + path.string(), errno);
  // mknod takes the umask's bits away.
  if (::chmod(path.c_str(), 0660) < 0) return systemError("chmod " + path.string(), errno);
  return {};
}

Status changeOwner(const FileDescriptor& file, uid_t owner) {
  if (::fchownat(file.get(), "", owner, static_cast<gid_t>(-1), AT_EMPTY_PATH) < 0) return systemError("chown", errno);
  return {};
}

Status enterFolder(const std::filesystem::path& path) {
  if (::chdir(path.c_str()) < 0) return systemError(Remedy::fixInput, "chdir " + path.string(), errno);
  return {};
}

}  // namespace qm
