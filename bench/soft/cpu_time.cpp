#include "bench/soft/cpu_time.h"

#include <charconv>
#include <filesystem>
#include <string>
#include <system_error>

#include "vmm/os/file_descriptor.h"

namespace qm::bench {

Result<std::chrono::nanoseconds> cpuTimeOf(pid_t pid) {
  const std::filesystem::path threads = "/proc/" + std::to_string(pid) + "/task";
  std::error_code failure;
  std::chrono::nanoseconds sum{};
  for (const auto& thread : std::filesystem::directory_iterator(threads, failure)) {
    const std::string text = TRY(readKernelFile(thread.path() / "schedstat"));
    std::chrono::nanoseconds::rep ran = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), ran);
    if (read.ec != std::errc()) return Error(Remedy::giveUp, "the host's kernel has no schedstat");
    sum += std::chrono::nanoseconds(ran);
  }
  if (failure) return systemError("listing " + threads.string(), failure.value());
  return sum;
}

}  // namespace qm::bench
