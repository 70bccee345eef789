// A system call that is allowed, with the arguments that level 2 allows.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <vector>

#include "vmm/seccomp/thread_role.h"

namespace qm::seccomp {

// (argument & mask) == value. Masks name the bits that the kernel reads: it takes 32 of most arguments, and what the
// upper ones hold is nobody's business.
struct ArgumentTest {
  unsigned int argument = 0;  // 0 to 5
  std::uint64_t mask = 0;
  std::uint64_t value = 0;
};

enum class Answer : std::uint8_t {
  allow,
  absent,  // ENOSYS, as a kernel that lacks the call: the C library then takes another
};

struct Rule {
  int call = 0;
  std::vector<ArgumentTest> tests;  // all must hold; empty: any arguments
  Answer answer = Answer::allow;
};

using Rules = std::vector<Rule>;

inline constexpr std::uint64_t kWholeInt = 0xffff'ffff;

inline ArgumentTest is(unsigned int argument, std::uint64_t value) {
  return {.argument = argument, .mask = kWholeInt, .value = value & kWholeInt};
}
inline ArgumentTest lacks(unsigned int argument, std::uint64_t bits) {
  return {.argument = argument, .mask = bits, .value = 0};
}
// One rule for each value that the argument may have.
Rules oneOf(int call, unsigned int argument, std::initializer_list<std::uint64_t> values);
Rules any(std::initializer_list<int> calls);
Rules together(std::initializer_list<Rules> parts);

// Of each role; together with what its maker's filter allows (thread_filter.h).
Rules rulesOf(ThreadRole role);

// What a jail refuses (EPERM), whoever runs in it.
Rules jailRefusals();

Rules commonRules();
Rules apiRules();
Rules loopRules();
Rules vcpuRules();

}  // namespace qm::seccomp
