// Makes a thread of another process make a system call, as code that took it over would (ptrace(2)).
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace qm::test {

struct ThreadOfProcess {
  pid_t id = 0;
  std::string name;
};
std::vector<ThreadOfProcess> threadsOf(pid_t process);

struct InjectedCall {
  long number = 0;
  std::array<std::uint64_t, 3> arguments{};
};

// `thread` makes the call and goes on from there, which it survives only by chance. `process` is a child of ours whose
// first thread waits in a system call: its instruction is used.
void inject(pid_t process, pid_t thread, const InjectedCall& call);

}  // namespace qm::test
