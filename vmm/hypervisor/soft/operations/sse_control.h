// The control and status register of SSE: LDMXCSR STMXCSR (SDM 1, 10.2.3; SDM 2), and what else reads and writes it.
// While operations run, the host's register has the guest's control bits with every exception masked, and collects the
// guest's flags.
#pragma once

#include <cstdint>
#include <span>

#include "vmm/hypervisor/soft/cpu/cpu.h"
#include "vmm/hypervisor/soft/decode/lowering.h"

namespace qm::soft {

namespace mxcsr {
inline constexpr std::uint32_t kOverflow = 1U << 3U, kUnderflow = 1U << 4U, kPrecision = 1U << 5U;
inline constexpr std::uint32_t kFlags = 0x3f;             // IE DE ZE OE UE PE
inline constexpr std::uint32_t kBeforeComputation = 0x7;  // IE DE ZE of them (SDM 1, 11.5.1)
inline constexpr std::uint32_t kMasks = 0x1f80;           // of the same, in the same order
inline constexpr unsigned kMasksShift = 7;
inline constexpr std::uint32_t kValid = 0xffff;  // MXCSR_MASK of FXSAVE: every other bit is reserved
inline constexpr std::uint32_t kFlushToZero = 1U << 15U;
}  // namespace mxcsr

// The guest's MXCSR; for operations.
std::uint32_t currentMxcsr(const Cpu& cpu);
// `value` has no reserved bit.
void setMxcsr(Cpu& cpu, std::uint32_t value);

std::span<const Lowering> sseControlLowerings();

}  // namespace qm::soft
