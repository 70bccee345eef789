#include "vmm/hypervisor/soft/operations/x87_host.h"

#include <utility>

namespace qm::soft {

namespace {

// Of a data segment that has no base: means nothing.
constexpr unsigned kNoPrefix = 0x3e, kOperandSize = 0x66;

// sahf gives FCMOVcc its conditions, lahf takes what FCOMI and its kin set. FXSAVE and FNINIT do not wait for pending
// exceptions; the latter leaves the host's own control word as every thread begins with it. FXRSTOR loads the vector
// registers too, with whatever the image has: they are clobbered, and MXCSR comes back as it went.
template <unsigned prefix, unsigned first, unsigned second>
void run(FpuImage& image, void* memory, Flags& flags) {
  std::uint64_t status = flags;
  asm volatile(
      "fxrstor64 (%[image])\n\t"
      "sahf\n\t"
      ".byte %c[prefix], %c[first], %c[second]\n\t"
      "lahf\n\t"
      "seto %%al\n\t"
      "fxsave64 (%[image])\n\t"
      "fninit"
      : "+a"(status)
      : [image] "r"(&image), "D"(memory), [prefix] "i"(prefix), [first] "i"(first), [second] "i"(second)
      : "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",
        "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
  flags = status;
}

template <std::size_t... form>
constexpr std::array<HostX87, sizeof...(form)> registerForms(std::index_sequence<form...> /*forms*/) {
  return {&run<kNoPrefix, 0xd8 + form / 64, 0xc0 + form % 64>...};
}

// The upper half of the forms has 16-bit operands. ModRM with mod 0 and rm 7: the operand is at rdi.
template <std::size_t... form>
constexpr std::array<HostX87, sizeof...(form)> memoryForms(std::index_sequence<form...> /*forms*/) {
  return {&run < form < 64 ? kNoPrefix : kOperandSize, 0xd8 + form / 8 % 8, (form % 8) * 8 + 7 > ...};
}

}  // namespace

HostX87 hostX87Register(std::size_t form) {
  static constexpr auto kForms = registerForms(std::make_index_sequence<kRegisterForms>());
  return kForms[form];
}

HostX87 hostX87Memory(std::size_t form) {
  static constexpr auto kForms = memoryForms(std::make_index_sequence<kMemoryForms>());
  return kForms[form];
}

}  // namespace qm::soft
