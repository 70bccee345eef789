#include "vmm/hypervisor/soft/operations/simd_exceptions.h"

#include <xmmintrin.h>

#include "vmm/hypervisor/soft/operations/sse_control.h"

namespace qm::soft {

namespace {

std::uint32_t letThrough(const Cpu& cpu) {
  return ~cpu.mxcsr >> mxcsr::kMasksShift & mxcsr::kFlags;
}

// With the guest's control bits and no flags. Flushing to zero is the masked response to an underflow only.
std::uint32_t cleanControl(const Cpu& cpu) {
  const std::uint32_t control = (cpu.mxcsr | mxcsr::kMasks) & ~mxcsr::kFlags;
  return (letThrough(cpu) & mxcsr::kUnderflow) != 0 ? control & ~mxcsr::kFlushToZero : control;
}

// The host's flags become the guest's, and the host is as it always is.
void giveBack(Cpu& cpu, std::uint32_t flags) {
  cpu.mxcsr |= flags;
  _mm_setcsr(cpu.mxcsr | mxcsr::kMasks);
}

// SDM 1, 11.5.4: what is found before computing stops the instruction before what would be found after. `flags`: of the
// instruction alone.
bool settle(Cpu& cpu, std::uint32_t flags) {
  const std::uint32_t raised = flags & letThrough(cpu);
  giveBack(cpu, (raised & mxcsr::kBeforeComputation) != 0 ? flags & mxcsr::kBeforeComputation : flags);
  if (raised == 0) return true;
  const bool isExpected = (cpu.system.cr4 & cr4::kOsxmmexcpt) != 0;
  return raise(cpu, isExpected ? Exception::simdFloatingPoint : Exception::invalidOpcode);
}

}  // namespace

void beginLettingThrough(Cpu& cpu) {
  cpu.mxcsr = currentMxcsr(cpu);
  _mm_setcsr(cleanControl(cpu));
}

bool endLettingThrough(Cpu& cpu) {
  return settle(cpu, _mm_getcsr() & mxcsr::kFlags);
}

bool endLettingThrough(Cpu& cpu, const FlagsOfRanges& flagsOfRanges) {
  std::uint32_t flags = _mm_getcsr() & mxcsr::kFlags;
  if ((letThrough(cpu) & (mxcsr::kOverflow | mxcsr::kUnderflow)) != 0)
    flags = flagsOfRanges(cleanControl(cpu), letThrough(cpu));
  return settle(cpu, flags);
}

bool endLettingThroughByLanes(Cpu& cpu, const Ranges& ranges, TwoOperands apply, std::span<const TwoVectors> parts) {
  return endLettingThrough(cpu, [&](std::uint32_t control, std::uint32_t letThrough) {
    std::uint32_t flags = 0;
    for (const TwoVectors& part : parts) flags |= flagsLaneByLane(ranges, apply, part.a, part.b, control, letThrough);
    return flags;
  });
}

bool applyLettingThrough(Cpu& cpu, TwoOperands apply, const Ranges& ranges, std::span<const TwoVectors> parts,
                         std::span<__m128i> results) {
  beginLettingThrough(cpu);
  for (std::size_t i = 0; i < parts.size(); ++i) results[i] = apply(parts[i].a, parts[i].b);
  return ranges.lanes == 0 ? endLettingThrough(cpu) : endLettingThroughByLanes(cpu, ranges, apply, parts);
}

bool applyLettingThrough(Cpu& cpu, TwoOperands apply, const Ranges& ranges, __m128i a, __m128i b, __m128i& result) {
  const TwoVectors part{.a = a, .b = b};
  return applyLettingThrough(cpu, apply, ranges, std::span(&part, 1), std::span(&result, 1));
}

}  // namespace qm::soft
