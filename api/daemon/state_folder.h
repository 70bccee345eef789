// The daemon's folder on disk, which is one daemon's at a time.
//
//   STATE/vms/     VMs that live (vm/vm_folder.h); empty when no daemon runs
//   STATE/board    how it stands, for readers (api/board); while it runs
//   STATE/shelf/   templates' snapshots (pool/shelf), for the next daemon too
#pragma once

#include <filesystem>

#include "api/board/board_values.h"
#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm {

class StateFolder {
 public:
  // Makes what is missing. retry: another daemon has it.
  static Result<StateFolder> open(const std::filesystem::path& root);

  std::filesystem::path vms() const { return root_ / "vms"; }
  std::filesystem::path shelf() const { return root_ / "shelf"; }
  std::filesystem::path board() const { return root_ / board::kFileName; }

 private:
  StateFolder(std::filesystem::path root, FileDescriptor lock) : root_(std::move(root)), lock_(std::move(lock)) {}

  std::filesystem::path root_;
  FileDescriptor lock_;
};

}  // namespace qm
