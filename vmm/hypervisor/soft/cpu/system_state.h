// The registers that only the system part of the manual knows: control, descriptor, debug and model-specific ones, and
// what follows from them. Names are the SDM's (volume 3, chapter 2).
#pragma once

#include <array>
#include <cstdint>

#include "vmm/hypervisor/soft/cpu/operation.h"
#include "vmm/hypervisor/state.h"

namespace qm::soft {

namespace cr0 {
inline constexpr std::uint64_t kPe = 1U << 0U, kMp = 1U << 1U, kEm = 1U << 2U, kTs = 1U << 3U, kEt = 1U << 4U,
                               kNe = 1U << 5U, kWp = 1U << 16U, kAm = 1U << 18U, kNw = 1U << 29U, kCd = 1U << 30U,
                               kPg = 1U << 31U;
}
namespace cr4 {
inline constexpr std::uint64_t kVme = 1U << 0U, kPvi = 1U << 1U, kTsd = 1U << 2U, kDe = 1U << 3U, kPse = 1U << 4U,
                               kPae = 1U << 5U, kMce = 1U << 6U, kPge = 1U << 7U, kPce = 1U << 8U, kOsfxsr = 1U << 9U,
                               kOsxmmexcpt = 1U << 10U, kUmip = 1U << 11U, kLa57 = 1U << 12U, kFsgsbase = 1U << 16U,
                               kPcide = 1U << 17U, kOsxsave = 1U << 18U, kSmep = 1U << 20U, kSmap = 1U << 21U;
}
namespace efer {
inline constexpr std::uint64_t kSce = 1U << 0U, kLme = 1U << 8U, kLma = 1U << 10U, kNxe = 1U << 11U;
}

// Which code a processor reads.
enum class CodeSize : std::uint8_t { bits16, bits32, bits64 };

// Whether instructions of a unit may run (SDM 2A, exception classes; SDM 3A, 2.5).
enum class UnitState : std::uint8_t { open, notAvailable /* #NM */, invalid /* #UD */ };

// Memory type range registers (SDM 3A, 11.11): stored, without effect.
struct MemoryTypeRanges {
  std::uint64_t defaultType = 0;             // IA32_MTRR_DEF_TYPE
  std::array<std::uint64_t, 11> fixed{};     // 0x250, 0x258, 0x259, 0x268-0x26f
  std::array<std::uint64_t, 16> variable{};  // 0x200-0x20f: base and mask of each
  bool operator==(const MemoryTypeRanges&) const = default;
};

// KVM's paravirtual clock (system/kvm_clock.h).
struct KvmClockState {
  std::uint64_t systemTime = 0, wallClock = 0;  // the MSRs
  std::uint32_t writtenFor = 0;                 // the clock's generation; 0: the page must be written again
  bool wasStopped = false;                      // to be told with the next write
  bool isEnabled() const { return (systemTime & 1U) != 0; }
};

struct SystemState {
  std::array<Segment, 6> segments{};  // by SegmentName
  Segment tr, ldt;
  DescriptorTable gdt, idt;
  std::uint64_t cr0 = 0, cr2 = 0, cr3 = 0, cr4 = 0, efer = 0;
  std::uint64_t xcr0 = 1;
  std::uint64_t xcr0Offered = 3;  // what the guest's CPUID lets XCR0 be: x87, SSE, AVX
  DebugRegisters debug;

  // MSRs that are plain registers; those of other units (APIC, clock) live there. FS and GS base are the segments'.
  std::uint64_t star = 0, lstar = 0, cstar = 0, sfmask = 0, kernelGsBase = 0, tscAux = 0;
  std::uint64_t sysenterCs = 0, sysenterEsp = 0, sysenterEip = 0;
  std::uint64_t pat = 0x0007'0406'0007'0406, miscEnable = 1, mcgStatus = 0;
  MemoryTypeRanges memoryTypes;
  KvmClockState kvmClock;
  std::uint64_t tscOffset = 0;  // the TSC less the VM's ticks (system/guest_clock.h)
  std::uint64_t tscAdjust = 0;

  CpuidTable cpuid;                  // what the guest sees, by setGuestCpuid() (system/cpuid.h)
  std::uint64_t breakpointsHit = 0;  // by data of the instruction under way: DR6's bits (system/debug.h)

  bool nmiMasked = false;  // from an NMI's delivery to the next IRET (SDM 3A, 6.7.1)

  // What follows from the above; recomputed by modeChanged() (system/mode.h).
  std::uint8_t cpl = 0;
  CodeSize codeSize = CodeSize::bits16;
  UnitState vectorUnit = UnitState::open, x87Unit = UnitState::open, mmxUnit = UnitState::open;
  UnitState vexUnit = UnitState::invalid;                      // of vector instructions with a VEX prefix
  std::uint64_t physicalMask = (std::uint64_t{1} << 46U) - 1;  // of the guest's CPUID
};

}  // namespace qm::soft
