// Where templates' snapshots rest, as the pool needs it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>

#include "pool/template/recipe.h"
#include "pool/vm/clone_files.h"
#include "vmm/result/result.h"

namespace qm::pool {

// A folder that nobody else sees until it is published.
struct StagedSnapshot {
  std::filesystem::path folder;
  std::filesystem::path state;
  std::filesystem::path memory;
  bool operator==(const StagedSnapshot&) const = default;
};

// A published snapshot and what must be known to judge its clones.
struct TemplateImage {
  std::filesystem::path folder;
  std::filesystem::path state;
  std::filesystem::path memory;
  // What every clone's agent must answer: it proves "same memory, not a reboot".
  std::uint64_t guestNonce = 0;
  // Set by whoever sealed it; null until then, and with shelves that have no files.
  std::shared_ptr<CloneFiles> files;
  bool operator==(const TemplateImage&) const = default;
};

// Threads: any.
class SnapshotShelf {
 public:
  virtual ~SnapshotShelf() = default;
  virtual Result<StagedSnapshot> stage() = 0;
  // All or nothing: after an error there is no such snapshot. The recipe's files are part of what is remembered.
  virtual Result<TemplateImage> publish(const StagedSnapshot& staged, const Recipe& recipe,
                                        std::uint64_t guestNonce) = 0;
  virtual void discard(const StagedSnapshot& staged) = 0;
  // A snapshot published earlier from the same recipe and the same files, if there is one; not verified.
  virtual Result<std::optional<TemplateImage>> find(const Recipe& recipe) = 0;
  // Reads everything into memory that cannot change any more, and compares all digests: what clones are made of.
  virtual Result<std::shared_ptr<CloneFiles>> seal(const TemplateImage& image, const Recipe& recipe) = 0;
  virtual Status remove(const TemplateImage& image) = 0;
};

}  // namespace qm::pool
