#include "vmm/cgroup/cgroup_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <string>

#include "vmm/os/file_descriptor.h"

namespace qm {

Status putCgroupFile(const std::filesystem::path& file, std::string_view text) {
  const FileDescriptor open(::open(file.c_str(), O_WRONLY | O_CLOEXEC));
  if (!open.isOpen()) return systemError("open " + file.string(), errno);
  if (::write(open.get(), text.data(), text.size()) < 0) {
    return systemError("write " + std::string(text) + " to " + file.string(), errno);
  }
  return {};
}

Result<std::uint64_t> numberInCgroupFile(const std::filesystem::path& file) {
  constexpr std::size_t kLongest = 32;
  const std::string text = TRY(readKernelFile(file, kLongest));
  std::uint64_t number = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), number).ec != std::errc()) {
    return Error(Remedy::giveUp, file.string() + " holds no number: " + text);
  }
  return number;
}

}  // namespace qm
