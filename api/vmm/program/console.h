// Where a guest's serial output goes: a file, made when missing and appended to, or standard output. What cannot be
// written is lost, as on a line that nobody listens to.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm::vmm {

class Console {
 public:
  // An empty path is standard output.
  static Result<Console> open(const std::filesystem::path& path);

  // Any thread.
  void write(std::span<const std::uint8_t> bytes) const;
  // Empties the file. While nobody writes.
  void forget() const;

 private:
  explicit Console(FileDescriptor file) : file_(std::move(file)) {}

  FileDescriptor file_;  // not open: standard output
};

}  // namespace qm::vmm
