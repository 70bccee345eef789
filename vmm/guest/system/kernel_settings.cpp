#include "vmm/guest/system/kernel_settings.h"

#include <array>
#include <span>
#include <string_view>

#include "vmm/os/file_descriptor.h"

namespace qm::guest {

namespace {

struct Setting {
  const char* file;
  std::string_view value;
};

// Linux Documentation/admin-guide/sysctl/vm.rst.
constexpr std::array kSettings{
    // kcompactd looks twice a second whether memory is fragmented; it still compacts when an allocation asks for it.
    Setting{.file = "/proc/sys/vm/compaction_proactiveness", .value = "0"},
    // In seconds. Per-CPU counters are added up every second; they also are whenever a processor falls idle.
    Setting{.file = "/proc/sys/vm/stat_interval", .value = "600"},
};

}  // namespace

void quietKernel() {
  for (const Setting& setting : kSettings) {
    const Result<FileDescriptor> file = openFile(setting.file, OpenMode::readWrite);
    if (file.has_value()) (void)writeAll(*file, std::as_bytes(std::span(setting.value)));
  }
}

}  // namespace qm::guest
