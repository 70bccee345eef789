// Where a guest's serial output goes: a file, made when missing and appended to, or standard output. What cannot be
// written is lost, as on a line that nobody listens to, and so is what goes beyond the limit: a guest is not to fill
// the host's disk by talking.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm::vmm {

class Console {
 public:
  // A file that is not open is standard output. `most`: in bytes; 0: no limit.
  Console(FileDescriptor file, std::uint64_t most) : file_(std::move(file)), most_(most) {}
  // Not open for an empty path.
  static Result<FileDescriptor> openFile(const std::filesystem::path& path);

  // Any thread. The first that finds no room leaves a sentence there.
  void write(std::span<const std::uint8_t> bytes);
  // Empties the file, and the limit counts from nothing. While nobody writes.
  void forget();

 private:
  void put(std::span<const std::byte> bytes) const;

  const FileDescriptor file_;
  const std::uint64_t most_;
  std::atomic<std::uint64_t> offered_ = 0;  // by the guest, written or lost
};

}  // namespace qm::vmm
