// compute NAME…: does each piece of work once and prints "NAME nanoseconds check" for it. The name it has in the
// benchmark's figures is its name here.
#include <time.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <span>
#include <string_view>

#include "bench/soft/compute/work.h"

namespace {

using namespace qm::compute;

struct Named {
  std::string_view name;
  std::unique_ptr<Work> (*make)();
};
constexpr std::array<Named, 5> kWorks{
    {{"crc32", crc32}, {"qsort", sort}, {"dgemm", matrix}, {"sha256", sha256}, {"getppid", systemCalls}}};

std::uint64_t nanoseconds() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

}  // namespace

int main(int count, char** words) {
  for (const char* word : std::span(words, static_cast<std::size_t>(count)).subspan(1)) {
    const auto* named = std::ranges::find(kWorks, std::string_view(word), &Named::name);
    if (named == kWorks.end()) {
      std::fprintf(stderr, "compute: no work is called %s\n", word);
      return 2;
    }
    const std::unique_ptr<Work> work = named->make();
    const std::uint64_t start = nanoseconds();
    const std::uint64_t check = work->run();
    const std::uint64_t end = nanoseconds();
    std::printf("%s %llu %016llx\n", word, static_cast<unsigned long long>(end - start),
                static_cast<unsigned long long>(check));
  }
  return 0;
}
