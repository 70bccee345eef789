#include "vmm/hypervisor/soft/system/offered_features.h"

#include <array>

namespace qm::soft {

namespace {

using enum CpuidRegister;

constexpr std::array kRequired{
    CpuFeature{1, 0, ecx, 0, "sse3"},           CpuFeature{1, 0, ecx, 9, "ssse3"},
    CpuFeature{1, 0, ecx, 13, "cmpxchg16b"},    CpuFeature{1, 0, ecx, 19, "sse4.1"},
    CpuFeature{1, 0, ecx, 20, "sse4.2"},        CpuFeature{1, 0, ecx, 23, "popcnt"},
    CpuFeature{0x8000'0001, 0, ecx, 0, "lahf"},
};

constexpr std::array kByHost{
    CpuFeature{1, 0, ecx, 1, "pclmulqdq"},       CpuFeature{1, 0, ecx, 22, "movbe"}, CpuFeature{1, 0, ecx, 25, "aes"},
    CpuFeature{1, 0, ecx, 30, "rdrand"},         CpuFeature{7, 0, ebx, 3, "bmi1"},   CpuFeature{7, 0, ebx, 8, "bmi2"},
    CpuFeature{7, 0, ebx, 18, "rdseed"},         CpuFeature{7, 0, ebx, 19, "adx"},   CpuFeature{7, 0, ebx, 29, "sha"},
    CpuFeature{0x8000'0001, 0, ecx, 5, "lzcnt"},
};

constexpr std::array kByHostWithAvx{
    CpuFeature{1, 0, ecx, 12, "fma"},
    CpuFeature{1, 0, ecx, 28, "avx"},
    CpuFeature{1, 0, ecx, 29, "f16c"},
    CpuFeature{7, 0, ebx, 5, "avx2"},
};

constexpr std::array kByOurselves{
    // What every x86-64 has (the host, too), or the system part of ours.
    CpuFeature{1, 0, edx, 0, "fpu"},
    CpuFeature{1, 0, edx, 2, "de"},
    CpuFeature{1, 0, edx, 3, "pse"},
    CpuFeature{1, 0, edx, 4, "tsc"},
    CpuFeature{1, 0, edx, 5, "msr"},
    CpuFeature{1, 0, edx, 6, "pae"},
    CpuFeature{1, 0, edx, 7, "mce"},
    CpuFeature{1, 0, edx, 8, "cmpxchg8b"},
    CpuFeature{1, 0, edx, 9, "apic"},
    CpuFeature{1, 0, edx, 11, "sep"},
    CpuFeature{1, 0, edx, 12, "mtrr"},
    CpuFeature{1, 0, edx, 13, "pge"},
    CpuFeature{1, 0, edx, 14, "mca"},
    CpuFeature{1, 0, edx, 15, "cmov"},
    CpuFeature{1, 0, edx, 16, "pat"},
    CpuFeature{1, 0, edx, 17, "pse36"},
    CpuFeature{1, 0, edx, 19, "clflush"},
    CpuFeature{1, 0, edx, 23, "mmx"},
    CpuFeature{1, 0, edx, 24, "fxsr"},
    CpuFeature{1, 0, edx, 25, "sse"},
    CpuFeature{1, 0, edx, 26, "sse2"},
    CpuFeature{1, 0, ecx, 17, "pcid"},
    CpuFeature{1, 0, ecx, 21, "x2apic"},
    CpuFeature{1, 0, ecx, 24, "tsc-deadline"},
    CpuFeature{1, 0, ecx, 26, "xsave"},
    CpuFeature{1, 0, ecx, 31, "hypervisor"},
    CpuFeature{6, 0, eax, 2, "arat"},
    CpuFeature{7, 0, ebx, 0, "fsgsbase"},
    CpuFeature{7, 0, ebx, 1, "tsc-adjust"},
    CpuFeature{7, 0, ebx, 6, "fdp-exceptions-only"},
    CpuFeature{7, 0, ebx, 7, "smep"},
    CpuFeature{7, 0, ebx, 9, "erms"},
    CpuFeature{7, 0, ebx, 10, "invpcid"},
    CpuFeature{7, 0, ebx, 13, "no-fcs-fds"},
    CpuFeature{7, 0, ebx, 20, "smap"},
    CpuFeature{7, 0, ebx, 23, "clflushopt"},
    CpuFeature{7, 0, ecx, 2, "umip"},
    CpuFeature{7, 0, ecx, 22, "rdpid"},
    CpuFeature{0xd, 0, eax, 0, "xsave-x87"},
    CpuFeature{0xd, 0, eax, 1, "xsave-sse"},
    CpuFeature{0xd, 1, eax, 0, "xsaveopt"},
    CpuFeature{0x4000'0001, 0, eax, 3, "kvmclock"},
    CpuFeature{0x4000'0001, 0, eax, 24, "kvmclock-stable"},
    CpuFeature{0x8000'0001, 0, ecx, 8, "prefetchw"},
    CpuFeature{0x8000'0001, 0, edx, 11, "syscall"},
    CpuFeature{0x8000'0001, 0, edx, 20, "nx"},
    CpuFeature{0x8000'0001, 0, edx, 26, "1gib-pages"},
    CpuFeature{0x8000'0001, 0, edx, 27, "rdtscp"},
    CpuFeature{0x8000'0001, 0, edx, 29, "long-mode"},
    CpuFeature{0x8000'0007, 0, edx, 8, "invariant-tsc"},
};

}  // namespace

std::span<const CpuFeature> requiredOfHost() {
  return kRequired;
}

std::span<const CpuFeature> byHost() {
  return kByHost;
}

std::span<const CpuFeature> byHostWithAvx() {
  return kByHostWithAvx;
}

std::span<const CpuFeature> byOurselves() {
  return kByOurselves;
}

}  // namespace qm::soft
