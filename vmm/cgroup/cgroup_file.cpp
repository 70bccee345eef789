#include "vmm/cgroup/cgroup_file.h"

#include <charconv>
#include <string>

#include "vmm/os/file_descriptor.h"

namespace qm {

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
