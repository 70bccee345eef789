#include "vmm/hypervisor/soft/vcpu/extended_area.h"

#include <algorithm>
#include <span>

#include <fmt/format.h>

#include "vmm/hypervisor/soft/cpu/extended_image.h"

namespace qm::soft {

ExtendedState saveExtended(const Cpu& cpu) {
  ExtendedImage image{};
  putX87(image, cpu, PointerWidth::bits64);
  putMxcsr(image, cpu);
  putXmm(image, cpu);
  putUpperHalves(image, cpu);
  setHeaderWord(image, 0, componentsInUse(cpu));
  const auto bytes = std::span(image).first(areaBytes(cpu.system.xcr0Offered));
  return {.xcr0 = cpu.system.xcr0, .area = {bytes.begin(), bytes.end()}};
}

Status loadExtended(Cpu& cpu, const ExtendedState& state) {
  const std::uint64_t offered = cpu.system.xcr0Offered;
  const std::size_t wanted = areaBytes(state.xcr0);
  if (state.area.size() < wanted) {
    return Error(Remedy::fixInput, fmt::format("the saved XSAVE area has {} bytes, less than the {} of its state",
                                               state.area.size(), wanted));
  }
  ExtendedImage image{};
  std::copy_n(state.area.begin(), std::min(state.area.size(), image.size()), image.begin());
  const std::uint64_t inUse = headerWord(image, 0);
  if ((inUse & ~offered) != 0 || !isXcr0(state.xcr0, offered)) {
    return Error(Remedy::fixInput,
                 fmt::format("the guest's CPUID offers the states {:#x}; the saved one uses {:#x} with XCR0 {:#x}",
                             offered, inUse, state.xcr0));
  }
  const std::uint32_t mxcsr = mxcsrOf(image);
  if ((mxcsr & ~kMxcsrBits) != 0)
    return Error(Remedy::fixInput, fmt::format("the saved MXCSR {:#x} has reserved bits set", mxcsr));
  constexpr std::uint32_t kMasks = 0x1f80;
  cpu.system.xcr0 = state.xcr0;
  cpu.mxcsr = mxcsr;
  cpu.simdUnmasked = (~mxcsr & kMasks) != 0;
  cpu.x87 = {};
  cpu.ymm = {};
  if ((inUse & kX87Component) != 0) getX87(image, cpu, PointerWidth::bits64);
  if ((inUse & kSseComponent) != 0) getXmm(image, cpu);
  if ((inUse & kAvxComponent) != 0) getUpperHalves(image, cpu);
  return {};
}

}  // namespace qm::soft
