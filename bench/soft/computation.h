// What guests compute, and what comes back.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "vmm/result/result.h"

namespace qm::bench {

struct Computation {
  std::string name;
  std::vector<std::string> inGuest, onHost;  // argv
};

// The program's, in the order of the table: crc32, qsort, dgemm, sha256, getppid.
std::vector<Computation> compiledComputations(const std::filesystem::path& program);
// A Python script's.
Computation pythonComputation(std::string script);

struct Answer {
  std::chrono::nanoseconds time{};  // by the clock of the machine that computed
  std::string check;                // the same on every machine that computes rightly
  bool operator==(const Answer&) const = default;
};

// Of "NAME nanoseconds check\n".
Result<Answer> parseAnswer(std::string_view name, std::string_view output);

}  // namespace qm::bench
