#include "vmm/seccomp/compiler/rule.h"

#include <utility>

namespace qm::seccomp {

Rules oneOf(int call, unsigned int argument, std::initializer_list<std::uint64_t> values) {
  Rules rules;
  for (const std::uint64_t value : values) rules.push_back({.call = call, .tests = {is(argument, value)}});
  return rules;
}

Rules any(std::initializer_list<int> calls) {
  Rules rules;
  for (const int call : calls) rules.push_back({.call = call, .tests = {}});
  return rules;
}

Rules together(std::initializer_list<Rules> parts) {
  Rules rules;
  for (const Rules& part : parts) rules.insert(rules.end(), part.begin(), part.end());
  return rules;
}

Rules rulesOf(ThreadRole role) {
  switch (role) {
    case ThreadRole::api:
      return together({commonRules(), apiRules()});
    case ThreadRole::loop:
      return together({commonRules(), loopRules()});
    case ThreadRole::vcpu:
      return together({commonRules(), vcpuRules()});
  }
  std::unreachable();
}

}  // namespace qm::seccomp
