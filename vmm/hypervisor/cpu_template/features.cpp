#include "vmm/hypervisor/cpu_template/features.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

namespace qm {

namespace {

using enum CpuidRegister;

constexpr std::array kPortable{
    // Basic features.
    CpuFeature{1, 0, ecx, 0, "sse3"},
    CpuFeature{1, 0, ecx, 1, "pclmulqdq"},
    CpuFeature{1, 0, ecx, 9, "ssse3"},
    CpuFeature{1, 0, ecx, 13, "cmpxchg16b"},
    CpuFeature{1, 0, ecx, 17, "pcid"},
    CpuFeature{1, 0, ecx, 19, "sse4.1"},
    CpuFeature{1, 0, ecx, 20, "sse4.2"},
    CpuFeature{1, 0, ecx, 21, "x2apic"},
    CpuFeature{1, 0, ecx, 22, "movbe"},
    CpuFeature{1, 0, ecx, 23, "popcnt"},
    CpuFeature{1, 0, ecx, 24, "tsc-deadline"},
    CpuFeature{1, 0, ecx, 25, "aes"},
    CpuFeature{1, 0, ecx, 26, "xsave"},
    CpuFeature{1, 0, ecx, 30, "rdrand"},
    CpuFeature{1, 0, ecx, 31, "hypervisor"},
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
    // Without ARAT Linux does not trust the APIC timer across idle and looks for a PIT.
    CpuFeature{6, 0, eax, 2, "arat"},
    CpuFeature{7, 0, ebx, 0, "fsgsbase"},
    // With it and an invariant TSC Linux needs no watchdog over its clock, which wakes an idle guest twice a second.
    CpuFeature{7, 0, ebx, 1, "tsc-adjust"},
    CpuFeature{7, 0, ebx, 3, "bmi1"},
    // Of x87: its data pointer is written with exceptions only, and its pointers have no selectors.
    CpuFeature{7, 0, ebx, 6, "fdp-exceptions-only"},
    CpuFeature{7, 0, ebx, 7, "smep"},
    CpuFeature{7, 0, ebx, 8, "bmi2"},
    CpuFeature{7, 0, ebx, 9, "erms"},
    CpuFeature{7, 0, ebx, 10, "invpcid"},
    CpuFeature{7, 0, ebx, 13, "no-fcs-fds"},
    CpuFeature{7, 0, ebx, 18, "rdseed"},
    CpuFeature{7, 0, ebx, 19, "adx"},
    CpuFeature{7, 0, ebx, 20, "smap"},
    CpuFeature{7, 0, ebx, 23, "clflushopt"},
    CpuFeature{7, 0, ecx, 2, "umip"},
    CpuFeature{7, 0, ecx, 22, "rdpid"},
    // XSAVE: only x87 and SSE state.
    CpuFeature{0xd, 0, eax, 0, "xsave-x87"},
    CpuFeature{0xd, 0, eax, 1, "xsave-sse"},
    CpuFeature{0xd, 1, eax, 0, "xsaveopt"},
    // Of the paravirtual features only the clock, and that stable; no steal time, async faults, PV IPI, EOI or TLB
    // flush:
    // each of them is state in guest memory that another backend would have to keep.
    CpuFeature{0x4000'0001, 0, eax, 3, "kvmclock"},
    CpuFeature{0x4000'0001, 0, eax, 24, "kvmclock-stable"},
    CpuFeature{0x8000'0001, 0, ecx, 0, "lahf"},
    CpuFeature{0x8000'0001, 0, ecx, 5, "lzcnt"},
    CpuFeature{0x8000'0001, 0, ecx, 8, "prefetchw"},
    CpuFeature{0x8000'0001, 0, edx, 11, "syscall"},
    CpuFeature{0x8000'0001, 0, edx, 20, "nx"},
    CpuFeature{0x8000'0001, 0, edx, 26, "1gib-pages"},
    CpuFeature{0x8000'0001, 0, edx, 27, "rdtscp"},
    CpuFeature{0x8000'0001, 0, edx, 29, "long-mode"},
    CpuFeature{0x8000'0007, 0, edx, 8, "invariant-tsc"},
};

constexpr std::array kV3{
    CpuFeature{1, 0, ecx, 12, "fma"},        CpuFeature{1, 0, ecx, 28, "avx"},
    CpuFeature{1, 0, ecx, 29, "f16c"},       CpuFeature{7, 0, ebx, 5, "avx2"},
    CpuFeature{1, 0, ecx, 22, "movbe"},      CpuFeature{7, 0, ebx, 3, "bmi1"},
    CpuFeature{7, 0, ebx, 8, "bmi2"},        CpuFeature{1, 0, ecx, 26, "xsave"},
    CpuFeature{0xd, 0, eax, 2, "xsave-avx"}, CpuFeature{0x8000'0001, 0, ecx, 5, "lzcnt"},
};

constexpr std::array kSha{CpuFeature{7, 0, ebx, 29, "sha"}};

// Left out of what is above: XSAVE, PCID, INVPCID and an invariant TSC (hypervisors often keep them from their guests),
// RDSEED, RDPID, SMAP and later additions (processors of the years around 2013 lack one or the other).
constexpr std::array<std::string_view, 46> kBaseNames{
    "fpu",        "de",         "pse",          "tsc",        "msr",     "pae",        "mce",       "cmpxchg8b",
    "apic",       "sep",        "mtrr",         "pge",        "mca",     "cmov",       "pat",       "pse36",
    "clflush",    "mmx",        "fxsr",         "sse",        "sse2",    "sse3",       "ssse3",     "sse4.1",
    "sse4.2",     "cmpxchg16b", "popcnt",       "lahf",       "syscall", "nx",         "long-mode", "rdtscp",
    "1gib-pages", "x2apic",     "tsc-deadline", "tsc-adjust", "arat",    "hypervisor", "kvmclock",  "kvmclock-stable",
    "aes",        "pclmulqdq",  "rdrand",       "fsgsbase",   "smep",    "erms"};

constexpr auto kBase = [] {
  std::array<CpuFeature, kBaseNames.size()> features{};
  for (std::size_t i = 0; i < features.size(); ++i)
    features[i] = *std::ranges::find(kPortable, kBaseNames[i], &CpuFeature::name);
  return features;
}();

}  // namespace

std::span<const CpuFeature> portableFeatures() {
  return kPortable;
}

std::span<const CpuFeature> baseFeatures() {
  return kBase;
}

std::span<const CpuFeature> v3Features() {
  return kV3;
}

std::span<const CpuFeature> shaFeatures() {
  return kSha;
}

std::uint32_t& registerOf(CpuidEntry& entry, CpuidRegister which) {
  switch (which) {
    case eax:
      return entry.eax;
    case ebx:
      return entry.ebx;
    case ecx:
      return entry.ecx;
    case edx:
      return entry.edx;
  }
  std::unreachable();
}

std::uint32_t registerOf(const CpuidEntry& entry, CpuidRegister which) {
  CpuidEntry copy = entry;
  return registerOf(copy, which);
}

}  // namespace qm
