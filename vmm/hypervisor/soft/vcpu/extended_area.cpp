#include "vmm/hypervisor/soft/vcpu/extended_area.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "vmm/hypervisor/soft/cpu/extended_image.h"

namespace qm::soft {

ExtendedState saveExtended(const Cpu& cpu) {
  ExtendedImage image{};
  putX87(image, cpu, PointerWidth::bits64);
  putMxcsr(image, cpu);
  putXmm(image, cpu);
  setHeaderWord(image, 0, componentsInUse(cpu));
  return {.xcr0 = cpu.system.xcr0, .area = {image.begin(), image.end()}};
}

Status loadExtended(Cpu& cpu, const ExtendedState& state) {
  constexpr std::uint64_t kKnown = kX87Component | kSseComponent;
  if (state.area.size() < kImageBytes) {
    return Error(Remedy::fixInput,
                 fmt::format("the saved XSAVE area has {} bytes, less than the {} of its smallest form",
                             state.area.size(), kImageBytes));
  }
  ExtendedImage image{};
  std::copy_n(state.area.begin(), image.size(), image.begin());
  const std::uint64_t inUse = headerWord(image, 0);
  if ((inUse & ~kKnown) != 0 || (state.xcr0 & ~kKnown) != 0 || (state.xcr0 & kX87Component) == 0) {
    return Error(Remedy::fixInput,
                 fmt::format("the CPU in software has x87 and SSE state; the saved one uses {:#x} with XCR0 {:#x}",
                             inUse, state.xcr0));
  }
  const std::uint32_t mxcsr = mxcsrOf(image);
  if ((mxcsr & ~kMxcsrBits) != 0)
    return Error(Remedy::fixInput, fmt::format("the saved MXCSR {:#x} has reserved bits set", mxcsr));
  constexpr std::uint32_t kMasks = 0x1f80;
  cpu.system.xcr0 = state.xcr0;
  cpu.mxcsr = mxcsr;
  cpu.simdUnmasked = (~mxcsr & kMasks) != 0;
  cpu.x87 = {};
  cpu.xmm = {};
  if ((inUse & kX87Component) != 0) getX87(image, cpu, PointerWidth::bits64);
  if ((inUse & kSseComponent) != 0) getXmm(image, cpu);
  return {};
}

}  // namespace qm::soft
