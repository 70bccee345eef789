// SHA-256 (FIPS 180-4), by libcrypto.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm::snapshot {

// 64 lower-case hexadecimal digits.
std::string sha256(std::span<const std::byte> bytes);

struct FileDigest {
  std::uint64_t bytes = 0;
  std::string sha256;
  bool operator==(const FileDigest&) const = default;
};

// Reads the whole file, holes too. `name` is the file's in an error.
Result<FileDigest> digestFile(const FileDescriptor& file, std::string_view name);
Result<FileDigest> digestFile(const std::filesystem::path& path);

}  // namespace qm::snapshot
