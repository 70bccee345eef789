// SHA-256 (FIPS 180-4), by libcrypto.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "vmm/result/result.h"

namespace qm::snapshot {

// 64 lower-case hexadecimal digits.
std::string sha256(std::span<const std::byte> bytes);

struct FileDigest {
  std::uint64_t bytes = 0;
  std::string sha256;
  bool operator==(const FileDigest&) const = default;
};

// Reads the whole file, holes too.
Result<FileDigest> digestFile(const std::filesystem::path& path);

}  // namespace qm::snapshot
