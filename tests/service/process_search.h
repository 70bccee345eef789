// Looks for bytes in all the memory of another process, as root sees it.
#pragma once

#include <fcntl.h>
#include <sys/types.h>

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "vmm/os/file_descriptor.h"

namespace qm::test {

// Where `needle` stands in the process's memory, each with what is mapped there: "7f… [heap]". Pages that cannot be
// read (devices, guards) are passed over. The process should stand still or be idle; nothing is as of one moment.
inline std::vector<std::string> placesOf(std::string_view needle, pid_t pid) {
  constexpr std::size_t kStep = std::size_t{1} << 20;
  std::vector<std::string> places;
  const FileDescriptor memory(::open(fmt::format("/proc/{}/mem", pid).c_str(), O_RDONLY | O_CLOEXEC));
  std::ifstream maps(fmt::format("/proc/{}/maps", pid));
  const std::boyer_moore_horspool_searcher searcher(needle.begin(), needle.end());
  std::string buffer;
  for (std::string line; std::getline(maps, line);) {
    std::uint64_t begin = 0, end = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx", &begin, &end) != 2) continue;
    for (std::uint64_t at = begin; at < end; at += kStep) {
      // A needle across two steps is in the first, which reads on.
      buffer.resize(std::min<std::uint64_t>(kStep + needle.size() - 1, end - at));
      if (!readAt(memory, at, std::as_writable_bytes(std::span(buffer))).has_value()) continue;
      for (auto from = buffer.begin();;) {
        const auto found = std::search(from, buffer.end(), searcher);
        if (found == buffer.end()) break;
        places.push_back(fmt::format("{:x} {}", at + static_cast<std::uint64_t>(found - buffer.begin()), line));
        from = found + 1;
      }
    }
  }
  return places;
}

}  // namespace qm::test
