#include "vmm/os/mapping.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

namespace qm {

namespace {

constexpr int kOwn = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;

// The only place that spells MAP_FAILED.
Result<std::span<std::byte>> map(void* where, std::size_t bytes, int protection, int flags, int file,
                                 std::uint64_t offset) {
  void* address = ::mmap(where, bytes, protection, flags, file, static_cast<off_t>(offset));
  if (address == MAP_FAILED) return systemError("mmap of " + std::to_string(bytes) + " bytes", errno);
  return std::span(static_cast<std::byte*>(address), bytes);
}

}  // namespace

Result<Mapping> Mapping::anonymous(std::size_t bytes) {
  return Mapping(TRY(map(nullptr, bytes, PROT_READ | PROT_WRITE, kOwn, -1, 0)));
}

Result<Mapping> Mapping::ofFile(const FileDescriptor& file, std::uint64_t offset, std::size_t bytes, Sharing sharing,
                                Access access) {
  const int protection = access == Access::readWrite ? PROT_READ | PROT_WRITE : PROT_READ;
  const int flags = sharing == Sharing::shared ? MAP_SHARED : MAP_PRIVATE | MAP_NORESERVE;
  return Mapping(TRY(map(nullptr, bytes, protection, flags, file.get(), offset)));
}

Status Mapping::blank(std::size_t offset, std::size_t bytes) {
  const std::span<std::byte> part = bytes_.subspan(offset, bytes);
  TRY(map(part.data(), part.size(), PROT_READ | PROT_WRITE, kOwn | MAP_FIXED, -1, 0));
  // EINVAL: a kernel without huge pages.
  if (::madvise(part.data(), part.size(), MADV_NOHUGEPAGE) < 0 && errno != EINVAL) return systemError("madvise", errno);
  return {};
}

Mapping& Mapping::operator=(Mapping&& other) noexcept {
  if (this != &other) {
    unmap();
    bytes_ = std::exchange(other.bytes_, {});
  }
  return *this;
}

void Mapping::unmap() {
  if (!bytes_.empty()) ::munmap(bytes_.data(), bytes_.size());
  bytes_ = {};
}

std::size_t pageBytes() {
  return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

Result<FileDescriptor> createMemfd(const char* name, std::uint64_t bytes) {
  FileDescriptor file(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!file.isOpen()) return systemError("memfd_create", errno);
  TRY(truncateTo(file, bytes));
  return file;
}

}  // namespace qm
