#include "vmm/hypervisor/soft/host/host_cpu.h"

// glibc 2.36 has this header in C's words only.
#define _Bool bool  // NOLINT(bugprone-reserved-identifier)
#include <sys/platform/x86.h>
#undef _Bool

namespace qm::soft {

namespace {

CpuidEntry leaf(std::uint32_t number, unsigned index) {
  const cpuid_feature& found = *__x86_get_cpuid_feature_leaf(index);
  return {.leaf = number,
          .eax = found.cpuid_array[0],
          .ebx = found.cpuid_array[1],
          .ecx = found.cpuid_array[2],
          .edx = found.cpuid_array[3]};
}

}  // namespace

CpuidTable hostCpuid() {
  return {leaf(1, CPUID_INDEX_1), leaf(7, CPUID_INDEX_7), leaf(0x8000'0001, CPUID_INDEX_80000001),
          leaf(0x8000'0007, CPUID_INDEX_80000007)};
}

HostCan hostCan() {
  return {.bmi1 = CPU_FEATURE_ACTIVE(BMI1),
          .bmi2 = CPU_FEATURE_ACTIVE(BMI2),
          .lzcnt = CPU_FEATURE_ACTIVE(LZCNT),
          .movbe = CPU_FEATURE_ACTIVE(MOVBE),
          .adx = CPU_FEATURE_ACTIVE(ADX),
          .aes = CPU_FEATURE_ACTIVE(AES),
          .pclmul = CPU_FEATURE_ACTIVE(PCLMULQDQ),
          .sha = CPU_FEATURE_ACTIVE(SHA),
          .rdrand = CPU_FEATURE_ACTIVE(RDRAND),
          .avx = CPU_FEATURE_ACTIVE(AVX),
          .avx2 = CPU_FEATURE_ACTIVE(AVX2),
          .fma = CPU_FEATURE_ACTIVE(FMA),
          .f16c = CPU_FEATURE_ACTIVE(F16C)};
}

}  // namespace qm::soft
