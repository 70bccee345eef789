// The architectural state of a machine, as values: neutral between backends, comparable, and what a snapshot stores.
// Names are those of the Intel SDM (volume 3) and, for the legacy chips, of their data sheets (8259A, 8254, 82093AA).
//
// Order of loading, the same for every backend. CPUID first: it decides which MSRs exist and how large the XSAVE area
// is. System registers before the LAPIC: IA32_APIC_BASE, with its mode, lives there. LAPIC before MSRs: writing
// IA32_TSC_DEADLINE needs the timer's mode. XCR0 before the XSAVE area. Pending events last: setting registers may
// clear them. The interrupt controllers of the VM and its clock come after all vCPUs exist. Saving goes the other way
// round: the run state first, since reading it may settle what the vCPU has pending (INIT, SIPI).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace qm {

struct CpuidEntry {
  std::uint32_t leaf = 0;
  std::uint32_t subleaf = 0;
  bool subleafMatters = false;
  std::uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
  bool operator==(const CpuidEntry&) const = default;
};
using CpuidTable = std::vector<CpuidEntry>;

struct Registers {
  std::uint64_t rax = 0, rbx = 0, rcx = 0, rdx = 0, rsi = 0, rdi = 0, rsp = 0, rbp = 0;
  std::uint64_t r8 = 0, r9 = 0, r10 = 0, r11 = 0, r12 = 0, r13 = 0, r14 = 0, r15 = 0;
  std::uint64_t rip = 0, rflags = 2;
  bool operator==(const Registers&) const = default;
};

// A segment register with its hidden part (SDM 3A, 3.4.3).
struct Segment {
  std::uint64_t base = 0;
  std::uint32_t limit = 0;  // in bytes, scaled
  std::uint16_t selector = 0;
  std::uint8_t type = 0;  // 4 bits
  std::uint8_t dpl = 0;   // 2 bits
  bool s = false, present = false, avl = false, l = false, db = false, g = false;
  bool unusable = false;
  bool operator==(const Segment&) const = default;
};

struct DescriptorTable {
  std::uint64_t base = 0;
  std::uint16_t limit = 0;
  bool operator==(const DescriptorTable&) const = default;
};

struct SystemRegisters {
  Segment cs, ds, es, fs, gs, ss, tr, ldt;
  DescriptorTable gdt, idt;
  std::uint64_t cr0 = 0, cr2 = 0, cr3 = 0, cr4 = 0, cr8 = 0, efer = 0;
  std::uint64_t apicBase = 0;  // IA32_APIC_BASE
  bool operator==(const SystemRegisters&) const = default;
};

struct DebugRegisters {
  std::array<std::uint64_t, 4> db{};
  std::uint64_t dr6 = 0xffff'0ff0, dr7 = 0x400;
  bool operator==(const DebugRegisters&) const = default;
};

struct MsrValue {
  std::uint32_t index = 0;
  std::uint64_t value = 0;
  bool operator==(const MsrValue&) const = default;
};

// FPU, SSE and the extended components, in the XSAVE standard (not compacted) format, SDM 1, 13.4: at least 512 + 64
// bytes.
struct ExtendedState {
  std::uint64_t xcr0 = 1;
  std::vector<std::byte> area;
  bool operator==(const ExtendedState&) const = default;
};

// The 1 KiB register page of the local APIC, SDM 3A, table 11-1; register r of that table at byte r.
struct LocalApic {
  std::array<std::byte, 1024> registers{};
  bool operator==(const LocalApic&) const = default;
};

// What waits to be delivered when the vCPU runs next.
struct PendingEvents {
  bool exceptionInjected = false, exceptionPending = false, exceptionHasErrorCode = false, exceptionHasPayload = false;
  std::uint8_t exceptionVector = 0;
  std::uint32_t exceptionErrorCode = 0;
  std::uint64_t exceptionPayload = 0;
  bool interruptInjected = false, interruptSoft = false;
  std::uint8_t interruptVector = 0;
  bool shadowSti = false, shadowMovSs = false;  // one instruction without interrupts
  bool nmiInjected = false, nmiPending = false, nmiMasked = false;
  std::uint8_t sipiVector = 0;
  bool smmActive = false, smiPending = false, smmInsideNmi = false, smiLatchedInit = false;
  bool tripleFaultPending = false;
  bool operator==(const PendingEvents&) const = default;
};

enum class RunState : std::uint8_t { runnable, uninitialized, initReceived, halted, sipiReceived };

struct CpuState {
  CpuidTable cpuid;
  std::uint32_t tscKhz = 0;
  RunState runState = RunState::runnable;
  Registers registers;
  SystemRegisters system;
  DebugRegisters debug;
  ExtendedState extended;
  LocalApic localApic;
  std::vector<MsrValue> msrs;  // ascending by index
  PendingEvents events;
  // Where RDRAND and RDSEED follow from a seed: where their sequence stands. Else they are the host's.
  bool hasRandomState = false;
  std::uint64_t randomState = 0;
  // Where time is counted in instructions: the TSC at which the local APIC's timer, in a mode that counts, runs out
  // next. 0: when its registers say, which know it to a count.
  std::uint64_t timerExpiry = 0;
  bool operator==(const CpuState&) const = default;
};

// One 8259A.
struct Pic {
  std::uint8_t lastIrr = 0, irr = 0, imr = 0, isr = 0, priorityAdd = 0, irqBase = 0, readRegSelect = 0, poll = 0;
  std::uint8_t specialMask = 0, initState = 0, autoEoi = 0, rotateOnAutoEoi = 0, specialFullyNestedMode = 0, init4 = 0;
  std::uint8_t elcr = 0, elcrMask = 0;
  bool operator==(const Pic&) const = default;
};

// 82093AA. A redirection entry is its 64-bit register.
struct IoApic {
  std::uint64_t baseAddress = 0xfec0'0000;
  std::uint32_t registerSelect = 0, id = 0, irr = 0;
  std::array<std::uint64_t, 24> redirection{};
  bool operator==(const IoApic&) const = default;
};

struct PitChannel {
  std::uint32_t count = 0;
  std::uint16_t latchedCount = 0;
  std::uint8_t countLatched = 0, statusLatched = 0, status = 0, readState = 0, writeState = 0, writeLatch = 0;
  std::uint8_t rwMode = 0, mode = 0, bcd = 0, gate = 0;
  std::int64_t countLoadTimeNs = 0;  // of the backend's own monotonic clock
  bool operator==(const PitChannel&) const = default;
};

struct Pit {
  std::array<PitChannel, 3> channels{};
  std::uint32_t flags = 0;
  bool operator==(const Pit&) const = default;
};

// The paravirtual clock: guest time in ns since boot, and the host's wall clock at that moment (0: not known).
struct Clock {
  std::uint64_t guestNs = 0;
  std::uint64_t realtimeNs = 0;
  bool operator==(const Clock&) const = default;
};

struct VmState {
  Pic primaryPic, secondaryPic;
  IoApic ioApic;
  bool hasPit = false;
  Pit pit;
  Clock clock;
  bool operator==(const VmState&) const = default;
};

}  // namespace qm
