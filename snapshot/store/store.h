// All snapshots of one host: a folder for each, below one root.
//
//   root/.staging-…   being written, or left behind by a crash: open() removes them
//   root/NAME/        complete: snapshot.capnp, memory, manifest.json. NAME is the beginning of the manifest's digest
//
// Threads: any, also at once. Processes: one for each root, which open() sees to.
#pragma once

#include <filesystem>
#include <vector>

#include "snapshot/store/manifest.h"
#include "vmm/memory/page_run.h"
#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm::snapshot {

// A snapshot's files in memory, verified, and sealed after that was done to them: they stay what they are. Open for
// reading only.
struct SealedSnapshot {
  FileDescriptor state;
  FileDescriptor memory;
  std::vector<PageRun> memoryHoles;  // SealedCopy::holes
  std::string memorySha256;
};

class Store {
 public:
  // Makes the root when it is missing. retry: another process has it open.
  static Result<Store> open(const std::filesystem::path& root);

  // A new folder (mode 0700) for snapshot/file's saveFiles(): kStateName and kMemoryName are put into it.
  Result<std::filesystem::path> stage();
  // Completes what was staged and answers where it stands; from then on its files do not change. After an error the
  // staging is still there; remove() discards it.
  Result<std::filesystem::path> publish(const std::filesystem::path& staging, const Provenance& provenance);

  // The complete ones, by name. Their manifests may be wrong all the same: readManifest() and verify() tell.
  Result<std::vector<std::filesystem::path>> list() const;
  // Whether every byte of the folder's files is what was published. Reads all of it: once for each template.
  Result<Manifest> verify(const std::filesystem::path& folder) const;
  // The same of copies in memory, which is what clones are made of: whoever may write to the folder cannot reach them.
  Result<SealedSnapshot> seal(const std::filesystem::path& folder) const;
  // A published one or a staging. What is mapped from it stays readable.
  Status remove(const std::filesystem::path& folder);

 private:
  Store(std::filesystem::path root, FileDescriptor lock) : root_(std::move(root)), lock_(std::move(lock)) {}
  Result<Manifest> manifestOf(const std::filesystem::path& published) const;
  Status checkIsOurs(const std::filesystem::path& folder) const;

  std::filesystem::path root_;
  FileDescriptor lock_;  // the root, locked as long as it is open
};

}  // namespace qm::snapshot
