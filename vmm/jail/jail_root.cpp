#include "vmm/jail/jail_root.h"

#include <array>
#include <cstdint>
#include <string>

#include "vmm/os/folder.h"
#include "vmm/os/mount.h"
#include "vmm/os/namespaces.h"

namespace qm {

namespace {

// Mount points are all that the tmpfs holds; kJailBinds of them, each some folders deep, fit.
constexpr std::uint64_t kRootBytes = std::uint64_t{256} * 1024;
constexpr std::uint64_t kRootFiles = 1024;

// Something of the host that goes into the jail, open and in no place.
struct Piece {
  FileDescriptor tree;
  FileFacts facts;
  std::filesystem::path inside;
};

struct Pieces {
  std::vector<Piece> readOnly;
  std::vector<Piece> devices;
};

Result<Piece> open(const std::filesystem::path& host, const std::filesystem::path& inside, MountRights rights) {
  FileDescriptor tree = TRY(cloneTree(host));
  TRY(restrictTree(tree, rights).during(host.string()));
  const FileFacts facts = TRY(factsOf(tree));
  return Piece{.tree = std::move(tree), .facts = facts, .inside = inside};
}

Result<Piece> openFolder(const JailPlan& plan) {
  Piece folder = TRY(open(plan.folder, kFolderInside, {}));
  if (folder.facts.kind != FileKind::folder) {
    return Error(Remedy::fixInput, plan.folder.string() + " is not a folder");
  }
  return folder;
}

Result<Pieces> openPieces(const JailPlan& plan) {
  Pieces pieces;
  for (const ReadOnlyBind& bind : plan.readOnly) {
    pieces.readOnly.push_back(TRY(open(bind.host, bind.inside, {.readOnly = true})));
  }
  for (const JailDevice device : plan.devices) {
    Piece piece = TRY(open(pathOf(device), pathOf(device), {.devices = true}));
    if (piece.facts.kind != FileKind::device) {
      return Error(Remedy::giveUp, pathOf(device).string() + " is not a device on this host");
    }
    pieces.devices.push_back(std::move(piece));
  }
  return pieces;
}

// With the client's rights, not the maker's.
template <class Opened>
Result<Opened> openAsClient(const JailPlan& plan, const JailMaker& maker, Result<Opened> (*open)(const JailPlan&)) {
  if (maker.privilege == Privilege::none) return open(plan);
  const LookupAs client(maker.client.uid, maker.client.gid);
  return open(plan);
}

// A client may give away what is its own, or was given to a jail before; else the spawner's rights would be the
// client's.
Status giveFolder(const Piece& folder, const JailPolicy& policy, const JailMaker& maker, uid_t uid) {
  const uid_t owner = folder.facts.owner;
  if (owner == uid || maker.privilege == Privilege::none) return {};
  const bool wasGiven = owner >= policy.uid && owner - policy.uid < policy.uids;
  if (owner != maker.client.uid && !wasGiven) {
    return Error(Remedy::fixInput, "the VM's folder belongs to user " + std::to_string(owner) + ", not to user " +
                                       std::to_string(maker.client.uid) + " who asks for the jail");
  }
  return changeOwner(folder.tree, uid);
}

Status place(const Piece& piece) {
  return placeTree(piece.tree, piece.inside);
}

// A node of its own where that is allowed: it can belong to the jails' group, whatever the host's node says. In a
// user namespace it is not allowed; there the host's node is bound, and its mode decides.
Status placeDevice(const Piece& piece, const JailPolicy& policy, const JailMaker& maker) {
  if (maker.privilege == Privilege::full) {
    if (makeDevice(piece.inside, piece.facts.device, policy.gid).has_value()) return {};
  }
  TRY(makeEmptyFile(piece.inside));
  return place(piece);
}

// All mount points first: once a folder of the host is in place, nothing is made in it.
Status furnish(const Pieces& pieces, const JailPolicy& policy, const JailMaker& maker) {
  TRY(makeFolder(kFolderInside));
  for (const Piece& piece : pieces.readOnly) {
    const bool isFolder = piece.facts.kind == FileKind::folder;
    TRY(isFolder ? makeFolder(piece.inside) : makeEmptyFile(piece.inside));
  }
  for (const Piece& device : pieces.devices) TRY(placeDevice(device, policy, maker));
  for (const Piece& piece : pieces.readOnly) TRY(place(piece));
  return {};
}

// `folder` is in no place yet.
Status enterByMould(const Piece& folder, const FileDescriptor& mould) {
  TRY(enterNamespace(mould, Namespace::mount));
  constexpr std::array kOwnMounts{Namespace::mount};
  TRY(moveToOwn(kOwnMounts));
  return place(folder);
}

}  // namespace

Status castJailRoot(const JailPolicy& policy, const JailPlan& plan, const JailMaker& maker) {
  TRY(makeMountsPrivate());
  const Pieces pieces = TRY(openAsClient(plan, maker, openPieces));
  const FileDescriptor root = TRY(createTmpfs(kRootBytes, kRootFiles));
  TRY(enterAsRoot(root));
  TRY(furnish(pieces, policy, maker));
  return sealRoot();
}

Status enterJailRoot(const JailPolicy& policy, const JailPlan& plan, const JailMaker& maker, const JailParts& parts,
                     uid_t uid) {
  const Piece folder = TRY(openAsClient(plan, maker, openFolder));
  TRY(giveFolder(folder, policy, maker, uid));
  if (parts.mould != nullptr) {
    TRY(enterByMould(folder, *parts.mould));
  } else {
    if (maker.privilege == Privilege::full) TRY(moveToOwn(std::array{Namespace::mount}));
    TRY(castJailRoot(policy, plan, maker));
    TRY(place(folder));
  }
  return enterFolder(kFolderInside);
}

}  // namespace qm
