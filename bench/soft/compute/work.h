// The pieces of work. Each answers a check value: what it computed, so that no compiler drops the work and a CPU that
// computes wrongly is found out. Input is made by `random.h`, outside of what is timed.
#pragma once

#include <cstdint>
#include <memory>

namespace qm::compute {

class Work {
 public:
  virtual ~Work() = default;
  // What is timed; once.
  virtual std::uint64_t run() = 0;
};

std::unique_ptr<Work> crc32();        // byte by byte through a table: loads, shifts, XORs
std::unique_ptr<Work> sort();         // the C library's qsort: calls through a pointer, branches nobody can predict
std::unique_ptr<Work> matrix();       // 256 × 256 doubles, naive loops: scalar SSE2
std::unique_ptr<Work> sha256();       // FIPS 180-4 in plain C++: rotations and additions
std::unique_ptr<Work> systemCalls();  // getppid by the instruction: into the kernel and back

}  // namespace qm::compute
