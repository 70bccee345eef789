#include "api/daemon/state_folder.h"

#include <system_error>

namespace qm {

namespace {

using std::filesystem::perms;

// Jailed VMs run as another user and reach snapshots below the shelf; that nobody else does is the root's mode to see
// to.
constexpr perms kPassable = perms::owner_all | perms::group_exec | perms::others_exec;

Status make(const std::filesystem::path& folder, perms mode) {
  std::error_code failure;
  std::filesystem::create_directories(folder, failure);
  if (!failure) std::filesystem::permissions(folder, mode, failure);
  if (failure) return systemError(Remedy::fixInput, "making the folder " + folder.string(), failure.value());
  return {};
}

}  // namespace

Result<StateFolder> StateFolder::open(const std::filesystem::path& root) {
  TRY(make(root, perms::owner_all));
  FileDescriptor lock = TRY(openFile(root, OpenMode::read));
  TRY(lockExclusively(lock).during("another daemon works in " + root.string()));
  StateFolder state(root, std::move(lock));
  TRY(make(state.vms(), kPassable));
  TRY(make(state.shelf(), kPassable));
  return state;
}

}  // namespace qm
