#include "vmm/guest/system/one_line_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <span>

#include "vmm/os/file_descriptor.h"

namespace qm::guest {

namespace {

constexpr mode_t kReadable = 0644;

Result<FileDescriptor> openOrCreate(const char* path) {
  Result<FileDescriptor> file = openFile(path, OpenMode::readWrite);
  if (file.has_value()) return file;
  file = TRY(openFile(path, OpenMode::create));
  if (::fchmod(file->get(), kReadable) < 0) return systemError(std::string("chmod ") + path, errno);
  return file;
}

}  // namespace

Status writeLine(const char* path, const std::string& text) {
  const FileDescriptor file = TRY(openOrCreate(path));
  const std::string line = text + "\n";
  TRY(writeAt(file, 0, std::as_bytes(std::span(line))).during(path));
  if (TRY(fileBytes(file)) == line.size()) return {};
  if (::ftruncate(file.get(), static_cast<off_t>(line.size())) < 0)
    return systemError(std::string("truncating ") + path, errno);
  return {};
}

}  // namespace qm::guest
