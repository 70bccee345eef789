#include "snapshot/store/store.h"

#include <algorithm>
#include <chrono>
#include <system_error>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "snapshot/store/sealed_copy.h"
#include "vmm/os/random.h"
#include "vmm/version/version.h"

namespace qm::snapshot {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kStagingPrefix = ".staging-";
constexpr std::size_t kNameDigits = 32;

bool isStaging(const fs::path& folder) {
  return folder.filename().native().starts_with(kStagingPrefix);
}

Status statusOf(const std::error_code& code, const std::string& action) {
  if (code) return systemError(action, code.value());
  return {};
}

// With or without a slash at its end.
fs::path tidy(const fs::path& folder) {
  const fs::path normal = folder.lexically_normal();
  return normal.has_filename() ? normal : normal.parent_path();
}

fs::path freshStagingPath(const fs::path& root) {
  return root / fmt::format("{}{:02x}", kStagingPrefix, fmt::join(randomBytes(8), ""));
}

Result<std::vector<fs::path>> foldersIn(const fs::path& root) {
  std::vector<fs::path> folders;
  std::error_code failed;
  fs::directory_iterator entry(root, failed);
  while (!failed && entry != fs::directory_iterator()) {
    std::error_code vanished;
    if (entry->is_directory(vanished) && !entry->is_symlink(vanished)) folders.push_back(entry->path());
    entry.increment(failed);
  }
  TRY(statusOf(failed, "list " + root.string()));
  std::ranges::sort(folders);
  return folders;
}

Status removeAll(const fs::path& folder) {
  std::error_code failed;
  fs::remove_all(folder, failed);
  return statusOf(failed, "remove " + folder.string());
}

// A file's contents, or a folder's names.
Status synchronisePath(const fs::path& path) {
  const FileDescriptor file = TRY(openFile(path, OpenMode::read));
  return synchronise(file).during("synchronising " + path.string());
}

Result<FileDigest> synchroniseAndDigest(const fs::path& path) {
  TRY(synchronisePath(path).during("publishing, which needs the files that saveFiles() writes"));
  return digestFile(path);
}

Status writeManifest(const fs::path& folder, const std::string& text) {
  const FileDescriptor file = TRY(openFile(folder / kManifestName, OpenMode::create));
  TRY(writeAll(file, std::as_bytes(std::span(text))).during("writing the manifest"));
  return synchronise(file);
}

std::string nowUtc() {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(now)));
}

Status checkDigest(const fs::path& path, const FileDigest& found, const FileDigest& published) {
  if (found == published) return {};
  const std::string what = found.bytes == published.bytes
                               ? "does not have the digest in its manifest"
                               : fmt::format("has {} bytes where its manifest says {}", found.bytes, published.bytes);
  return Error(Remedy::fixInput, fmt::format("{} {}, so it has changed since it was published: remove the snapshot and "
                                             "build it again",
                                             path.string(), what));
}

Status checkFile(const fs::path& path, const FileDigest& published) {
  const FileDigest found = TRY(digestFile(path));
  return checkDigest(path, found, published);
}

// Digested when it is sealed: what was looked at is what is used.
Result<SealedCopy> sealFile(const fs::path& path, const FileDigest& published) {
  SealedCopy sealed = TRY(sealedCopy(path));
  const FileDigest found = TRY(digestFile(sealed.file, path.native()));
  TRY(checkDigest(path, found, published));
  return sealed;
}

}  // namespace

Result<Store> Store::open(const fs::path& root) {
  std::error_code failed;
  fs::create_directories(root, failed);
  TRY(statusOf(failed, "make the folder of the snapshots, " + root.string()));
  FileDescriptor lock = TRY(openFile(root, OpenMode::read));
  TRY(lockExclusively(lock).during("opening " + root.string() + ", which one process at a time may use"));
  const std::vector<fs::path> folders = TRY(foldersIn(root));
  for (const fs::path& folder : folders) {
    if (isStaging(folder)) TRY(removeAll(folder));
  }
  return Store(tidy(root), std::move(lock));
}

Status Store::checkIsOurs(const fs::path& folder) const {
  const fs::path name = folder.filename();
  const bool isHidden = name.native().starts_with('.') && !isStaging(folder);
  if (folder.parent_path() == root_ && !name.empty() && !isHidden) return {};
  return Error(Remedy::fixInput,
               fmt::format("{} is not a snapshot below {}: name one that is listed", folder.string(), root_.string()));
}

Result<fs::path> Store::stage() {
  fs::path staging = freshStagingPath(root_);
  std::error_code failed;
  fs::create_directory(staging, failed);
  if (!failed) fs::permissions(staging, fs::perms::owner_all, failed);
  TRY(statusOf(failed, "make " + staging.string()));
  return staging;
}

Result<fs::path> Store::publish(const fs::path& staging, const Provenance& provenance) {
  const fs::path from = tidy(staging);
  TRY(checkIsOurs(from));
  if (!isStaging(from)) {
    return Error(Remedy::fixInput, fmt::format("{} is published already: stage() a new folder", from.string()));
  }
  Manifest manifest{.provenance = provenance, .quickmatchVersion = kVersion, .created = nowUtc()};
  manifest.state = TRY(synchroniseAndDigest(from / kStateName));
  manifest.memory = TRY(synchroniseAndDigest(from / kMemoryName));
  const SealedManifest sealed = sealManifest(manifest);
  TRY(writeManifest(from, sealed.text));
  TRY(synchronisePath(from));
  // The rename last: before it, a crash leaves a staging; after it, everything is on disk.
  fs::path published = root_ / sealed.sha256.substr(0, kNameDigits);
  std::error_code failed;
  fs::rename(from, published, failed);
  TRY(statusOf(failed, "publish " + published.string()));
  TRY(synchronise(lock_));
  return published;
}

Result<std::vector<fs::path>> Store::list() const {
  std::vector<fs::path> folders = TRY(foldersIn(root_));
  std::erase_if(folders, [](const fs::path& folder) { return folder.filename().native().starts_with('.'); });
  return folders;
}

Result<Manifest> Store::manifestOf(const fs::path& published) const {
  TRY(checkIsOurs(published));
  CheckedManifest checked = TRY(readManifest(published));
  if (published.filename() != checked.sha256.substr(0, kNameDigits)) {
    return Error(Remedy::fixInput, fmt::format("{} has the manifest of another snapshot: remove it and build it again",
                                               published.string()));
  }
  return std::move(checked.manifest);
}

Result<Manifest> Store::verify(const fs::path& folder) const {
  const fs::path published = tidy(folder);
  Manifest manifest = TRY(manifestOf(published));
  TRY(checkFile(published / kStateName, manifest.state));
  TRY(checkFile(published / kMemoryName, manifest.memory));
  return manifest;
}

Result<SealedSnapshot> Store::seal(const fs::path& folder) const {
  const fs::path published = tidy(folder);
  const Manifest manifest = TRY(manifestOf(published));
  SealedCopy state = TRY(sealFile(published / kStateName, manifest.state));
  SealedCopy memory = TRY(sealFile(published / kMemoryName, manifest.memory));
  return SealedSnapshot{.state = std::move(state.file),
                        .memory = std::move(memory.file),
                        .memoryHoles = std::move(memory.holes),
                        .memorySha256 = manifest.memory.sha256};
}

Status Store::remove(const fs::path& folder) {
  const fs::path from = tidy(folder);
  TRY(checkIsOurs(from));
  // Aside first, so that one half removed is never listed.
  const fs::path aside = freshStagingPath(root_);
  std::error_code failed;
  fs::rename(from, aside, failed);
  if (failed == std::errc::no_such_file_or_directory) {
    return systemError(Remedy::fixInput, "remove " + from.string(), failed.value());
  }
  TRY(statusOf(failed, "remove " + from.string()));
  return removeAll(aside);
}

}  // namespace qm::snapshot
