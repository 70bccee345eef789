// An open file, owned. Move-only; closes on destruction.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "vmm/result/result.h"

namespace qm {

class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int number) : number_(number) {}
  FileDescriptor(FileDescriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  ~FileDescriptor() { close(); }

  bool isOpen() const { return number_ >= 0; }
  // The number, for system calls; still owned here.
  int get() const { return number_; }
  // Gives the number away; the caller closes it.
  int release() { return std::exchange(number_, -1); }
  void close();

  // A second descriptor of the same open file, close-on-exec.
  Result<FileDescriptor> duplicate() const;

 private:
  int number_ = -1;
};

enum class OpenMode : std::uint8_t {
  read,       // must exist
  readWrite,  // must exist
  create,     // for writing; made or truncated, mode 0600
  createNew,  // for reading and writing; an error if it is there
  append,     // for writing at the end; made when missing
};

// Opens close-on-exec. A missing file, or one that may not be read, is fixInput: the caller named it.
Result<FileDescriptor> openFile(const std::filesystem::path& path, OpenMode mode);

// What this process makes from here on, its owner alone may read and enter (umask(2)), unless its maker says otherwise.
void keepNewFilesPrivate();

// Bytes in the file that the descriptor names now.
Result<std::uint64_t> fileBytes(const FileDescriptor& file);

// All of `bytes` at `offset`, or an error; a file that ends before is fixInput ("ends at …").
Status readAt(const FileDescriptor& file, std::uint64_t offset, std::span<std::byte> bytes);
Status writeAt(const FileDescriptor& file, std::uint64_t offset, std::span<const std::byte> bytes);

// What a stream (pipe, socket) has now, at most bytes.size(); 0 is its end. EAGAIN comes as retry.
Result<std::size_t> readSome(const FileDescriptor& file, std::span<std::byte> bytes);
// Writes what fits now, 1 to bytes.size() of them. EAGAIN comes as retry.
Result<std::size_t> writeSome(const FileDescriptor& file, std::span<const std::byte> bytes);
// Writes all; for blocking descriptors.
Status writeAll(const FileDescriptor& file, std::span<const std::byte> bytes);

// The whole file, at most `limit` bytes; a larger one is fixInput.
Result<std::vector<std::byte>> readWholeFile(const std::filesystem::path& path, std::uint64_t limit);

// The text of a file of /proc or /sys, which says of itself that it has 0 bytes; at most `limit` bytes of it.
Result<std::string> readKernelFile(const std::filesystem::path& path, std::size_t limit = 65'536);
// Into one that is there, by one write: the kernel takes a setting whole or not at all.
Status writeKernelFile(const std::filesystem::path& path, std::string_view text);

Status synchronise(const FileDescriptor& file);
Status truncateTo(const FileDescriptor& file, std::uint64_t bytes);
// Where the file has holes there are zeros then, which take up room; it does not grow.
Status fillHoles(const FileDescriptor& file, std::uint64_t offset, std::uint64_t bytes);
Status setNonBlocking(const FileDescriptor& file);

// flock(2), alone and without waiting: held until the open file and all duplicates are closed; retry while another open
// file has it. Folders can be locked too.
Status lockExclusively(const FileDescriptor& file);

}  // namespace qm
