#include "pool/shelf/store_shelf.h"

#include <set>
#include <system_error>

#include "pool/shelf/recipe_digest.h"
#include "pool/shelf/template_record.h"
#include "vmm/os/file_descriptor.h"

namespace qm::pool {
namespace {

namespace fs = std::filesystem;

TemplateImage imageIn(const fs::path& folder, std::uint64_t guestNonce) {
  return {.folder = folder,
          .state = folder / snapshot::kStateName,
          .memory = folder / snapshot::kMemoryName,
          .guestNonce = guestNonce};
}

}  // namespace

Result<std::unique_ptr<StoreShelf>> StoreShelf::open(const fs::path& root) {
  const fs::path records = root / "templates";
  std::error_code failed;
  fs::create_directories(records, failed);
  if (failed) return systemError("make " + records.native(), failed.value());
  snapshot::Store store = TRY(snapshot::Store::open(root / "snapshots"));
  std::unique_ptr<StoreShelf> shelf(new StoreShelf(std::move(store), records));
  TRY(shelf->removeUnnamed());
  return shelf;
}

Status StoreShelf::removeUnnamed() {
  std::set<std::string> named;
  std::error_code failed;
  for (fs::directory_iterator entry(records_, failed), end; !failed && entry != end; entry.increment(failed)) {
    if (const auto record = readRecord(entry->path())) named.insert(record->snapshot);
  }
  if (failed) return systemError("list " + records_.native(), failed.value());
  const std::vector<fs::path> folders = TRY(store_.list());
  for (const fs::path& folder : folders) {
    if (!named.contains(folder.filename().native())) TRY(store_.remove(folder));
  }
  return {};
}

Result<StagedSnapshot> StoreShelf::stage() {
  const fs::path folder = TRY(store_.stage());
  return StagedSnapshot{
      .folder = folder, .state = folder / snapshot::kStateName, .memory = folder / snapshot::kMemoryName};
}

// The record last: a crash before it leaves a snapshot that nobody names. The superseded snapshot is the pool's to
// remove, when no clone is being restored from it.
Result<TemplateImage> StoreShelf::publish(const StagedSnapshot& staged, const Recipe& recipe,
                                          std::uint64_t guestNonce) {
  const RecipeDigest digest = TRY(digestRecipe(recipe));
  const fs::path folder = TRY(store_.publish(staged.folder, digest.provenance).during("publishing"));
  const TemplateRecord record{
      .recipeSha256 = digest.sha256, .snapshot = folder.filename().native(), .guestNonce = guestNonce};
  if (Status written = writeRecord(recordOf(recipe.name), record); !written) {
    static_cast<void>(store_.remove(folder));
    return std::move(written).error();
  }
  return imageIn(folder, guestNonce);
}

void StoreShelf::discard(const StagedSnapshot& staged) {
  // Published by half, or gone: open() removes what is left.
  static_cast<void>(store_.remove(staged.folder));
}

Result<std::optional<TemplateImage>> StoreShelf::find(const Recipe& recipe) {
  std::optional<TemplateImage> none;
  const auto record = readRecord(recordOf(recipe.name));
  if (!record) return none;  // missing, or not to be understood: a build writes it anew
  const RecipeDigest digest = TRY(digestRecipe(recipe));
  if (record->recipeSha256 != digest.sha256) return none;
  const std::vector<fs::path> folders = TRY(store_.list());
  for (const fs::path& folder : folders) {
    if (folder.filename() == record->snapshot) return std::optional(imageIn(folder, record->guestNonce));
  }
  return none;
}

Result<std::shared_ptr<CloneFiles>> StoreShelf::seal(const TemplateImage& image, const Recipe& recipe) {
  snapshot::SealedSnapshot sealed = TRY(store_.seal(image.folder));
  auto files = std::make_shared<CloneFiles>(CloneFiles{.state = std::move(sealed.state),
                                                       .memory = std::move(sealed.memory),
                                                       .memoryHoles = std::move(sealed.memoryHoles),
                                                       .memorySha256 = std::move(sealed.memorySha256)});
  for (const DrivePlan& drive : drivePlans(recipe))
    files->images.push_back({.id = drive.id, .image = TRY(openFile(drive.image, OpenMode::read))});
  return files;
}

Status StoreShelf::remove(const TemplateImage& image) {
  return store_.remove(image.folder);
}

}  // namespace qm::pool
