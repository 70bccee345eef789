// One processor, as its operations see it: registers, how far it may run, why it stopped, and the VM around it. A
// resource: it lives where it was made, its vCPU's thread uses it; `attention` is anybody's.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

#include "vmm/hypervisor/soft/cpu/device_access.h"
#include "vmm/hypervisor/soft/cpu/flags.h"
#include "vmm/hypervisor/soft/cpu/jump_cache.h"
#include "vmm/hypervisor/soft/cpu/operation.h"
#include "vmm/hypervisor/soft/cpu/system_state.h"
#include "vmm/hypervisor/soft/cpu/tlb.h"
#include "vmm/hypervisor/soft/cpu/x87_state.h"

namespace qm::soft {

class PhysicalMemory;
class World;
class CodeWatch;
class BlockCache;
class InterruptFabric;
class GuestClock;

// Whose rights a data access has (SDM 3A, 4.6.1). Each has a table of its own.
enum class Privilege : std::uint8_t {
  user,        // CPL 3
  kernel,      // below 3; user pages are closed if CR4.SMAP
  kernelOpen,  // below 3 with EFLAGS.AC: user pages are open
  watched,     // any, one access at a time: alignment checks or data breakpoints are on; nothing is remembered
};

// Exceptions by vector (SDM 3A, table 6-1).
enum class Exception : std::uint8_t {
  divideError = 0,
  debug = 1,
  nmi = 2,
  breakpoint = 3,
  overflow = 4,
  boundRange = 5,
  invalidOpcode = 6,
  deviceNotAvailable = 7,
  doubleFault = 8,
  invalidTss = 10,
  segmentNotPresent = 11,
  stackFault = 12,
  generalProtection = 13,
  pageFault = 14,
  floatingPoint = 16,
  alignmentCheck = 17,
  machineCheck = 18,
  simdFloatingPoint = 19,
};

// Why the operations gave control back to the loop around them (Execution, execution.h).
enum class Stop : std::uint8_t {
  none,
  exception,  // `fault` tells which; the instruction has done nothing
  alone,      // the instruction must be run by itself (`stepping`): it touches devices or code; it has done nothing
  device,     // `devices.wanted` must be answered before the instruction can be done; it has done nothing
  attention,  // at a block's end: somebody raised the flag, or the budget is used up
  retired,    // the instruction is done, and the loop has something to do after it (`afterwards`)
};

// What an instruction that is done leaves to the loop.
enum class Afterwards : std::uint8_t { nothing, halt, reset, shutdown };

// Whether the instruction under way, which is run alone, is followed by a trap when RFLAGS.TF was set before it.
enum class SingleStep : std::uint8_t {
  byFlag,   // if TF is still set: not after SYSCALL, INT n and what faulted
  certain,  // also if it has cleared TF: POPF, IRET, SYSRET
  held,     // not before the instruction behind it is done: MOV and POP to SS
};

struct Fault {
  Exception exception = Exception::invalidOpcode;
  std::uint32_t errorCode = 0;
  std::uint64_t address = 0;  // #PF: for CR2. #DB: bits for DR6
  bool isAddress = false;     // a #GP for an address that is not canonical: #SS if it was the stack's
};

struct Vector {
  alignas(16) std::array<std::byte, 16> bytes{};
  bool operator==(const Vector&) const = default;
};

// A YMM register; its low half is the XMM register of the same number (SDM 1, 14.1.1).
struct alignas(32) WideVector {
  Vector low, high;
  bool operator==(const WideVector&) const = default;
};

// What a processor is plugged into; all of it outlives the processor.
struct Surroundings {
  PhysicalMemory& memory;
  World& world;
  CodeWatch& code;
  InterruptFabric& chips;
  GuestClock& clock;
  std::uint32_t index;  // of the vCPU
};

// NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): what every operation touches comes first, in a line or two
struct Cpu {
  explicit Cpu(Surroundings around) : around(around) {}
  Cpu(const Cpu&) = delete;
  Cpu& operator=(const Cpu&) = delete;

  // By register number; [kBlockRip] where the running block begins, [kNoRegister] always 0.
  std::array<std::uint64_t, kRegisterSlots> gpr{};
  Tlb* tlb = nullptr;  // of the current privilege
  JumpCache* jumps = nullptr;
  std::array<std::uint64_t, 6> segmentBase{};  // by SegmentName, as 64-bit mode sees them: 0 but for FS and GS
  std::atomic<bool> attention = false;         // look at the world, the chips and who kicked
  Stop stop = Stop::none;
  bool stepping = false;      // one instruction by itself: devices may be asked, code may be written
  bool simdUnmasked = false;  // MXCSR lets an exception through

  // Between operations; while they run, the flags and what is left of the budget are in registers.
  Flags flags = 0;
  std::int64_t budget = 0;       // instructions left until the next look at the clock
  std::int64_t budgetGiven = 0;  // what it was when the operations began; what is used up of it is not yet counted
  std::uint64_t rip = 0;         // valid while no operation runs
  std::uint64_t rflags = 2;      // all but the status flags
  Fault fault;
  Afterwards afterwards = Afterwards::nothing;
  SingleStep singleStep = SingleStep::byFlag;
  std::uint64_t shadowRip = ~std::uint64_t{0};  // no interrupt before the instruction there: sti, mov ss

  std::array<WideVector, 16> ymm{};
  std::uint32_t mxcsr = 0x1f80;
  X87State x87;

  SystemState system;
  DeviceAccesses devices;
  Privilege privilege = Privilege::kernel;

  Surroundings around;
  BlockCache* blocks = nullptr;
  std::array<Tlb, 4> tlbs;          // by Privilege
  std::array<CodeTlb, 2> codeTlbs;  // [1]: CPL 3
  std::array<JumpCache, 2> jumpCaches;
  std::uint32_t pauses = 0;        // since the host's scheduler was last asked (operations/hint.cpp)
  std::uint64_t instructions = 0;  // executed since the processor was made
  std::uint64_t randomState = 0;   // of RDRAND where time is counted in instructions (system/random.h)
};

inline bool isUser(const Cpu& cpu) {
  return cpu.system.cpl == 3;
}

// The virtual addresses of an operation's instruction and of what follows it.
inline std::uint64_t addressOf(const Cpu& cpu, const Operation& op) {
  return cpu.gpr[kBlockRip] + op.offset;
}
inline std::uint64_t addressAfter(const Cpu& cpu, const Operation& op) {
  return cpu.gpr[kBlockRip] + op.offset + op.length;
}

// A general register as an operand: `place` is a byte offset into gpr. Writing 4 bytes clears the upper half (SDM 1,
// 3.4.1.1), writing 1 or 2 keeps the rest.
template <class T>
inline T reg(const Cpu& cpu, std::uint8_t place) {
  T value;
  __builtin_memcpy(&value, reinterpret_cast<const char*>(cpu.gpr.data()) + place, sizeof value);
  return value;
}
template <class T>
inline void setReg(Cpu& cpu, std::uint8_t place, T value) {
  char* at = reinterpret_cast<char*>(cpu.gpr.data()) + place;
  if constexpr (sizeof(T) == 4) {
    const std::uint64_t wide = value;
    __builtin_memcpy(at, &wide, sizeof wide);
  } else {
    __builtin_memcpy(at, &value, sizeof value);
  }
}

// All of RFLAGS, while no operation runs or from an operation that has `flags`.
inline std::uint64_t wholeRflags(const Cpu& cpu, Flags flags) {
  return cpu.rflags | statusToRflags(flags);
}

// The instruction has done nothing but this. Returned by operations: `return raise(…)`.
bool raise(Cpu& cpu, Exception exception, std::uint32_t errorCode = 0);
// The instruction must be run by itself.
bool askToBeAlone(Cpu& cpu);

// CPL, code size, segment bases and privilege after any of what they follow from has changed.
void modeChanged(Cpu& cpu);
// Privilege alone, after a change of RFLAGS.AC.
void privilegeChanged(Cpu& cpu);

}  // namespace qm::soft
