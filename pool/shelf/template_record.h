// What the pool writes down beside a snapshot: which recipe it is of, and the nonce that its guests answer with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "vmm/result/result.h"

namespace qm::pool {

struct TemplateRecord {
  std::string recipeSha256;
  std::string snapshot;  // the folder's name, which is its manifest's digest
  std::uint64_t guestNonce = 0;
  bool operator==(const TemplateRecord&) const = default;
};

std::string formatRecord(const TemplateRecord& record);
// fixInput for a text that is no record of this version, whatever is in it.
Result<TemplateRecord> parseRecord(std::string_view text);

// Replaces the file at once: after a crash it is the old or the new one.
Status writeRecord(const std::filesystem::path& file, const TemplateRecord& record);
Result<TemplateRecord> readRecord(const std::filesystem::path& file);

}  // namespace qm::pool
