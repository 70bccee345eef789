#include "vmm/result/check.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace qm {

void checkFailed(const char* condition, std::source_location where) {
  char line[512];
  const int length = std::snprintf(line, sizeof line, "CHECK failed: %s at %s:%u in %s\n", condition, where.file_name(),
                                   where.line(), where.function_name());
  if (length > 0) {
    const auto bytes =
        static_cast<unsigned long>(length) < sizeof line ? static_cast<unsigned long>(length) : sizeof line - 1;
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line, bytes);
  }
  std::abort();
}

}  // namespace qm
