#include "bench/soft/computation.h"

#include <array>
#include <charconv>

#include <fmt/format.h>

namespace qm::bench {

std::vector<Computation> compiledComputations(const std::filesystem::path& program) {
  std::vector<Computation> computations;
  for (const char* name : {"crc32", "qsort", "dgemm", "sha256", "getppid"})
    computations.push_back({.name = name, .inGuest = {"/bench/compute", name}, .onHost = {program.native(), name}});
  return computations;
}

Computation pythonComputation(std::string script) {
  const std::vector<std::string> argv{"/usr/bin/python3", "-I", "-c", std::move(script)};
  return {.name = "python", .inGuest = argv, .onHost = argv};
}

Result<Answer> parseAnswer(std::string_view name, std::string_view output) {
  const Error wrong(Remedy::giveUp, fmt::format("{} answered \"{}\"", name, output));
  std::string_view line = output;
  const auto skip = [&line](std::string_view expected) {
    const bool isThere = line.starts_with(expected);
    if (isThere) line.remove_prefix(expected.size());
    return isThere;
  };
  if (!skip(name) || !skip(" ")) return wrong;
  std::chrono::nanoseconds::rep time = 0;
  const auto read = std::from_chars(line.data(), line.data() + line.size(), time);
  if (read.ec != std::errc() || time <= 0) return wrong;
  line.remove_prefix(static_cast<std::size_t>(read.ptr - line.data()));
  if (!skip(" ") || !line.ends_with('\n') || line.size() < 2) return wrong;
  line.remove_suffix(1);
  return Answer{.time = std::chrono::nanoseconds(time), .check = std::string(line)};
}

}  // namespace qm::bench
