// What CPUID says of the host, without asking it: the C library did at the program's start. Where the host is a virtual
// machine itself each CPUID leaves it (28 us were measured), in every VMM that starts.
#pragma once

#include "vmm/hypervisor/state.h"

namespace qm::soft {

// Leaves 1, 7, 0x80000001 and 0x80000007, subleaf 0 of each; zeros where the CPU has not that many.
CpuidTable hostCpuid();

// Whether operations may use what the host's CPU has, and where it takes more than the CPU (AVX), its kernel, too.
struct HostCan {
  bool bmi1 = false, bmi2 = false, lzcnt = false, movbe = false, adx = false;
  bool aes = false, pclmul = false, sha = false, rdrand = false;
  bool avx = false, avx2 = false, fma = false, f16c = false;
};
HostCan hostCan();

}  // namespace qm::soft
