// Memory mapped from the kernel, owned. Move-only; unmaps on destruction.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm {

enum class Sharing : std::uint8_t { shared, privateCopy };
enum class Access : std::uint8_t { readOnly, readWrite };

class Mapping {
 public:
  Mapping() = default;
  // Zeroed memory of this process alone; reserved, not committed (MAP_NORESERVE).
  static Result<Mapping> anonymous(std::size_t bytes);
  // `bytes` of `file` from `offset` (a multiple of the page size). privateCopy: writes stay here (copy on write).
  static Result<Mapping> ofFile(const FileDescriptor& file, std::uint64_t offset, std::size_t bytes, Sharing sharing,
                                Access access);

  Mapping(Mapping&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
  Mapping& operator=(Mapping&& other) noexcept;
  ~Mapping() { unmap(); }

  std::span<std::byte> bytes() const { return bytes_; }
  // Puts zeroed memory of this process alone in the place of that part, which is whole pages of it. It comes page by
  // page wherever the kernel has the choice: a huge one for a few bytes would be most of what a clone has of its own.
  Status blank(std::size_t offset, std::size_t bytes);

 private:
  explicit Mapping(std::span<std::byte> bytes) : bytes_(bytes) {}
  void unmap();

  std::span<std::byte> bytes_;
};

// The page size of the host, in bytes.
std::size_t pageBytes();

// An anonymous file in memory of that size, close-on-exec, sealable. `name` shows in /proc/PID/maps.
Result<FileDescriptor> createMemfd(const char* name, std::uint64_t bytes);

}  // namespace qm
