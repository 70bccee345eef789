// Which backend a program of tests runs its guests on.
#pragma once

#include <cstdlib>
#include <string>

namespace qm::test {

// $QM_TEST_HYPERVISOR, "kvm" or "soft"; "kvm" when it is not set, as in the lab.
inline std::string hypervisorUnderTest() {
  const char* named = std::getenv("QM_TEST_HYPERVISOR");
  return named == nullptr ? "kvm" : named;
}

}  // namespace qm::test
