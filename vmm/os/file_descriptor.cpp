#include "vmm/os/file_descriptor.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>

namespace qm {

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  if (this != &other) {
    close();
    number_ = std::exchange(other.number_, -1);
  }
  return *this;
}

void FileDescriptor::close() {
  // close() has released the number even when it reports EINTR or EIO (Linux close(2)): nothing is left to retry.
  if (number_ >= 0) ::close(std::exchange(number_, -1));
}

Result<FileDescriptor> FileDescriptor::duplicate() const {
  const int copy = ::fcntl(number_, F_DUPFD_CLOEXEC, 0);
  if (copy < 0) return systemError("duplicate a file descriptor", errno);
  return FileDescriptor(copy);
}

namespace {

int flagsOf(OpenMode mode) {
  switch (mode) {
    case OpenMode::read:
      return O_RDONLY;
    case OpenMode::readWrite:
      return O_RDWR;
    case OpenMode::create:
      return O_WRONLY | O_CREAT | O_TRUNC;
    case OpenMode::createNew:
      return O_RDWR | O_CREAT | O_EXCL;
    case OpenMode::append:
      return O_WRONLY | O_CREAT | O_APPEND;
  }
  std::unreachable();
}

}  // namespace

Result<FileDescriptor> openFile(const std::filesystem::path& path, OpenMode mode) {
  const int number = ::open(path.c_str(), flagsOf(mode) | O_CLOEXEC | O_NOCTTY, 0600);
  if (number >= 0) return FileDescriptor(number);
  const int reason = errno;
  const bool named = reason == ENOENT || reason == EACCES || reason == EISDIR || reason == ENOTDIR ||
                     reason == EEXIST || reason == ENAMETOOLONG || reason == ELOOP;
  if (named) return systemError(Remedy::fixInput, "open " + path.string(), reason);
  return systemError("open " + path.string(), reason);
}

void keepNewFilesPrivate() {
  constexpr mode_t kGroupAndOthers = 077;
  ::umask(kGroupAndOthers);
}

Result<std::uint64_t> fileBytes(const FileDescriptor& file) {
  struct stat status{};
  if (::fstat(file.get(), &status) < 0) return systemError("fstat", errno);
  return static_cast<std::uint64_t>(status.st_size);
}

namespace {

// `offset` is where nothing was to be read; the file may end well before it.
Error endsEarly(const FileDescriptor& file, std::uint64_t offset) {
  const Result<std::uint64_t> bytes = fileBytes(file);
  const std::uint64_t end = bytes.has_value() ? std::min(*bytes, offset) : offset;
  return {Remedy::fixInput, "the file ends at byte " + std::to_string(end) + ", before what should be read"};
}

}  // namespace

Status readAt(const FileDescriptor& file, std::uint64_t offset, std::span<std::byte> bytes) {
  // Where off_t ends every file does; pread would call it an invalid argument.
  constexpr std::uint64_t kEnd = std::numeric_limits<off_t>::max();
  if (offset > kEnd || bytes.size() > kEnd - offset) return endsEarly(file, offset);
  while (!bytes.empty()) {
    const ssize_t count = ::pread(file.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return systemError("pread", errno);
    if (count == 0) return endsEarly(file, offset);
    offset += static_cast<std::uint64_t>(count);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return {};
}

Status writeAt(const FileDescriptor& file, std::uint64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::pwrite(file.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return systemError("pwrite", errno);
    offset += static_cast<std::uint64_t>(count);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return {};
}

Result<std::size_t> readSome(const FileDescriptor& file, std::span<std::byte> bytes) {
  for (;;) {
    const ssize_t count = ::read(file.get(), bytes.data(), bytes.size());
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EINTR) return systemError("read", errno);
  }
}

Result<std::size_t> writeSome(const FileDescriptor& file, std::span<const std::byte> bytes) {
  for (;;) {
    const ssize_t count = ::write(file.get(), bytes.data(), bytes.size());
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EINTR) return systemError("write", errno);
  }
}

Status writeAll(const FileDescriptor& file, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(file.get(), bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return systemError("write", errno);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return {};
}

Result<std::vector<std::byte>> readWholeFile(const std::filesystem::path& path, std::uint64_t limit) {
  const FileDescriptor file = TRY(openFile(path, OpenMode::read));
  const std::uint64_t size = TRY(fileBytes(file));
  if (size > limit) {
    return Error(Remedy::fixInput, path.string() + " has " + std::to_string(size) + " bytes, more than the " +
                                       std::to_string(limit) + " that are taken");
  }
  std::vector<std::byte> bytes(size);
  TRY(readAt(file, 0, bytes).during("reading " + path.string()));
  return bytes;
}

Result<std::string> readKernelFile(const std::filesystem::path& path, std::size_t limit) {
  const FileDescriptor file = TRY(openFile(path, OpenMode::read));
  std::string text(limit, '\0');
  std::size_t filled = 0;
  while (filled < limit) {
    const auto rest = std::as_writable_bytes(std::span(text).subspan(filled));
    const std::size_t count = TRY(readSome(file, rest).during("reading " + path.string()));
    if (count == 0) break;
    filled += count;
  }
  text.resize(filled);
  return text;
}

Status writeKernelFile(const std::filesystem::path& path, std::string_view text) {
  const FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file.isOpen()) return systemError("open " + path.string(), errno);
  if (::write(file.get(), text.data(), text.size()) < 0) {
    return systemError("write " + std::string(text) + " to " + path.string(), errno);
  }
  return {};
}

Status synchronise(const FileDescriptor& file) {
  if (::fsync(file.get()) < 0) return systemError("fsync", errno);
  return {};
}

Status truncateTo(const FileDescriptor& file, std::uint64_t bytes) {
  if (::ftruncate(file.get(), static_cast<off_t>(bytes)) < 0) return systemError("ftruncate", errno);
  return {};
}

Status fillHoles(const FileDescriptor& file, std::uint64_t offset, std::uint64_t bytes) {
  if (::fallocate(file.get(), FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset), static_cast<off_t>(bytes)) < 0)
    return systemError("fallocate", errno);
  return {};
}

Status setNonBlocking(const FileDescriptor& file) {
  const int flags = ::fcntl(file.get(), F_GETFL);
  if (flags < 0 || ::fcntl(file.get(), F_SETFL, flags | O_NONBLOCK) < 0) return systemError("fcntl O_NONBLOCK", errno);
  return {};
}

Status lockExclusively(const FileDescriptor& file) {
  if (::flock(file.get(), LOCK_EX | LOCK_NB) < 0) return systemError("flock", errno);
  return {};
}

}  // namespace qm
