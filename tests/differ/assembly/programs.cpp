#include "tests/differ/assembly/programs.h"

#include <fmt/format.h>

#include "tests/differ/harness.h"
#include "vmm/result/check.h"

namespace {

// What END_PROGRAM writes.
struct Entry {
  const char* name;
  const char* file;
  const std::uint8_t* start;
  const std::uint8_t* end;
};

}  // namespace

extern "C" {
// The linker's names for the ends of the section.
extern const Entry __start_differ_programs[], __stop_differ_programs[];  // NOLINT(bugprone-reserved-identifier)
}

namespace qm::differ {

namespace {

std::string_view fileName(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

}  // namespace

std::vector<Program> programs() {
  std::vector<Program> all;
  for (const Entry& entry : std::span(__start_differ_programs, __stop_differ_programs))
    all.push_back({.name = entry.name, .file = fileName(entry.file), .code = {entry.start, entry.end}});
  return all;
}

Case caseOf(const Program& program, std::size_t slot) {
  CHECK(program.code.size() <= kCodeBytes && slot < kSlots);
  Case subject;
  subject.seed.number = slot;
  subject.program.assign(program.code.begin(), program.code.end());
  subject.state.entry = subject.slotStart() + kCodeAt;
  Gprs& gprs = subject.state.gprs;
  constexpr std::uint64_t kFlags = 0x202;
  gprs[at(Gpr::rflags)] = kFlags;
  gprs[at(Gpr::rdi)] = subject.slotStart() + kDataAt;
  gprs[at(Gpr::rsp)] = subject.slotStart() + kStackAt + kStackBytes - 1024;
  poke64(subject, gprs[at(Gpr::rsp)], epilogueAddress());
  return subject;
}

std::string failureOf(const Program& program, const Ending& ending) {
  if (const auto* broken = std::get_if<Broken>(&ending)) return fmt::format("{}: {}", program.name, broken->reason);
  const StoredState& state = std::get<Outcome>(ending).state;
  if (state.vector != kNoVector)
    return fmt::format("{} ({}): exception {} (error {:x}) at {:x}, byte {:#x} of it", program.name, program.file,
                       state.vector, state.errorCode, state.rip, (state.rip - kCodeAt) % kSlotBytes);
  const std::uint64_t line = state.gprs[at(Gpr::rax)];
  if (line == 0) return {};
  return fmt::format("{} ({}:{}): the check fails", program.name, program.file, line);
}

}  // namespace qm::differ
