// A shelf without files: it remembers what was published, and refuses where a test wants it.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "pool/template/snapshot_shelf.h"

namespace qm::pool {

// Threads: any.
class FakeShelf final : public SnapshotShelf {
 public:
  Result<StagedSnapshot> stage() override {
    const std::lock_guard lock(mutex_);
    const std::filesystem::path folder = "staged-" + std::to_string(++staged_);
    ++staging_;
    return StagedSnapshot{.folder = folder, .state = folder / "state", .memory = folder / "memory"};
  }
  Result<TemplateImage> publish(const StagedSnapshot& staged, const Recipe& recipe, std::uint64_t guestNonce) override {
    const std::lock_guard lock(mutex_);
    if (refusePublish_) return Error(Remedy::retry, "the disk is full, as the test wants");
    --staging_;
    TemplateImage image{
        .folder = staged.folder, .state = staged.state, .memory = staged.memory, .guestNonce = guestNonce};
    published_.emplace_back(recipe, image);
    return image;
  }
  void discard(const StagedSnapshot&) override {
    const std::lock_guard lock(mutex_);
    --staging_;
  }
  Result<std::optional<TemplateImage>> find(const Recipe& recipe) override {
    const std::lock_guard lock(mutex_);
    for (const auto& [made, image] : published_) {
      if (makeSameSnapshot(made, recipe)) return std::optional(image);
    }
    return std::optional<TemplateImage>();
  }
  Result<std::shared_ptr<CloneFiles>> seal(const TemplateImage&, const Recipe&) override {
    const std::lock_guard lock(mutex_);
    if (corrupt_ == 0) return hasFiles_ ? std::make_shared<CloneFiles>() : nullptr;
    --corrupt_;
    return Error(Remedy::fixInput, "the memory's digest differs, as the test wants");
  }
  Status remove(const TemplateImage& image) override {
    const std::lock_guard lock(mutex_);
    std::erase_if(published_, [&](const auto& one) { return one.second.folder == image.folder; });
    return {};
  }

  void refusePublish(bool refuse) {
    const std::lock_guard lock(mutex_);
    refusePublish_ = refuse;
  }
  // The next `times` verifications find a flipped bit.
  void corrupt(int times) {
    const std::lock_guard lock(mutex_);
    corrupt_ = times;
  }
  // From here on snapshots have files, so that there is something to learn of them.
  void haveFiles() {
    const std::lock_guard lock(mutex_);
    hasFiles_ = true;
  }
  std::size_t published() const {
    const std::lock_guard lock(mutex_);
    return published_.size();
  }
  int staging() const {
    const std::lock_guard lock(mutex_);
    return staging_;
  }

 private:
  mutable std::mutex mutex_;
  int staged_ = 0;
  int staging_ = 0;
  int corrupt_ = 0;
  bool refusePublish_ = false;
  bool hasFiles_ = false;
  std::vector<std::pair<Recipe, TemplateImage>> published_;
};

}  // namespace qm::pool
