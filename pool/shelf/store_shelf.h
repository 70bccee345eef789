// The shelf on disk: snapshots in a snapshot::Store, and for each template a record of which is its.
//
//   root/snapshots/   the store
//   root/templates/   NAME.json
//
// A snapshot that no record names was superseded or left by a crash: open() removes it.
#pragma once

#include <filesystem>
#include <memory>

#include "pool/template/snapshot_shelf.h"
#include "snapshot/store/store.h"

namespace qm::pool {

class StoreShelf final : public SnapshotShelf {
 public:
  static Result<std::unique_ptr<StoreShelf>> open(const std::filesystem::path& root);

  Result<StagedSnapshot> stage() override;
  Result<TemplateImage> publish(const StagedSnapshot& staged, const Recipe& recipe, std::uint64_t guestNonce) override;
  void discard(const StagedSnapshot& staged) override;
  Result<std::optional<TemplateImage>> find(const Recipe& recipe) override;
  Result<std::shared_ptr<CloneFiles>> seal(const TemplateImage& image, const Recipe& recipe) override;
  Status remove(const TemplateImage& image) override;

 private:
  StoreShelf(snapshot::Store store, std::filesystem::path records)
      : store_(std::move(store)), records_(std::move(records)) {}
  std::filesystem::path recordOf(const std::string& templateName) const { return records_ / (templateName + ".json"); }
  Status removeUnnamed();

  snapshot::Store store_;
  std::filesystem::path records_;
};

}  // namespace qm::pool
