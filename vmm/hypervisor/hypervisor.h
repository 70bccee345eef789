// The seam: what runs a guest. Two backends stand behind it; nothing outside their folders can tell which.
// Interfaces only; a backend's factory function is in its own folder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "vmm/hypervisor/exit.h"
#include "vmm/hypervisor/state.h"
#include "vmm/memory/guest_address.h"
#include "vmm/os/eventfd.h"
#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm {

enum class DirtyLogging : std::uint8_t { off, on };
enum class PitModel : std::uint8_t { absent, present };

struct MemorySlot {
  std::uint32_t index = 0;
  GuestAddress start;
  std::span<std::byte> host;  // page-aligned; outlives the VM
  DirtyLogging dirtyLogging = DirtyLogging::off;
};

// One vCPU. All functions but kick() are called from the one thread that runs it, or while no thread does.
class Vcpu {
 public:
  virtual ~Vcpu() = default;

  // CPUID that the guest sees; once, before the first run() and before load().
  virtual Status setCpuid(const CpuidTable& cpuid) = 0;

  // Runs guest code until something needs the VMM. Never an error: what the backend cannot handle is a Fault.
  virtual VcpuExit run() = 0;
  // Answers the MmioRead or IoRead that run() returned last.
  virtual void completeRead(std::uint64_t value) = 0;
  // Any thread. The run() in progress, or else the next one, returns Interrupted soon; kicks before that return are
  // one.
  virtual void kick() = 0;

  // The whole state. An access that waits for its completion is completed first, without running an instruction. In the
  // middle of one that comes in parts (a string, 16 bytes of MMIO) the answer may be retry: a vCPU that answered
  // Interrupted can always be saved.
  virtual Result<CpuState> save() = 0;
  // Into a fresh vCPU, in the order that state.h gives; the boot processor's first of all. A value that the CPU refuses
  // is named (fixInput).
  virtual Status load(const CpuState& state) = 0;
  // The groups that a boot protocol sets; everything else keeps its value.
  virtual Status setRegisters(const Registers& registers, const SystemRegisters& system) = 0;
  virtual Result<SystemRegisters> systemRegisters() = 0;
  virtual Result<Registers> registers() = 0;
  // Tells the guest that it was stopped, so that its watchdogs forgive the gap (kvmclock's flag). Before the first
  // run() after a pause or a load. Nothing where time stood still with the vCPU (InstructionClock).
  virtual Status markResumed() = 0;
};

// Code of a guest that is decoded once for all clones of its snapshot: what a backend that decodes code can do besides.
// Called while no vCPU runs.
class CodePreparation {
 public:
  virtual ~CodePreparation() = default;

  // Which code the guest has run so far, in the backend's own words, for whoever prepares it. Guests decide what they
  // run: these are hints, to be checked against the snapshot's memory.
  virtual std::vector<std::byte> hints() = 0;
  // Once, after setMemory() and createVcpu(), before the first run(): RAM holds what the snapshot held that `prepared`
  // was made of, which the caller vouches for. fixInput: of another program, or not sealed; the VM works without it.
  virtual Status adopt(const FileDescriptor& prepared) = 0;
};

// The time of a VM that counts the instructions of its one vCPU: the VMM can do something at a moment of it. Called
// while the vCPU does not run.
class InstructionClock {
 public:
  virtual ~InstructionClock() = default;

  // Guest time: nanoseconds since the guest's boot, as VmState::clock has them.
  virtual std::uint64_t guestNs() = 0;
  // run() returns an Alarm, once, when guest time is `guestNs`: between two instructions, before an interrupt of that
  // moment is taken. A vCPU that sleeps beyond it is woken; a moment that is over comes at once. Nothing: no alarm.
  virtual void setAlarm(std::optional<std::uint64_t> guestNs) = 0;
};

// A machine without devices: memory slots, interrupt controllers, clock. Functions are called from one thread unless
// they say otherwise.
class Vm {
 public:
  virtual ~Vm() = default;

  // Slots do not overlap. An index that is taken is replaced; an empty host span removes it.
  virtual Status setMemory(const MemorySlot& slot) = 0;
  // One bit a page written by vCPUs (page-walk A/D updates included) since the last call; clears it.
  virtual Result<std::vector<std::uint64_t>> takeDirtyLog(std::uint32_t slotIndex) = 0;

  // Any thread, also while vCPUs run: these bytes of RAM were written by something else than a vCPU (a device, a test).
  // A backend that keeps decoded guest code forgets what it knew of them. After the write, before the guest is told of
  // the data. Bytes outside of every slot are none of the backend's.
  virtual void deviceWrote(GuestAddress start, std::uint64_t bytes) = 0;

  // APIC id = index; index 0 is the boot processor. The Vm outlives its vCPUs.
  virtual Result<std::unique_ptr<Vcpu>> createVcpu(std::uint32_t index) = 0;

  // Any thread. A GSI is an IOAPIC pin (and below 16 a PIC line too). Level-triggered lines stay as set; an edge is a
  // rise followed by a fall.
  virtual Status setInterruptLine(std::uint32_t gsi, bool raised) = 0;

  virtual Result<VmState> save() = 0;
  // After all vCPUs were created and loaded.
  virtual Status load(const VmState& state) = 0;

  // Null: the backend decodes nothing. Lives as long as the VM.
  virtual CodePreparation* codePreparation() { return nullptr; }
  // Null: time is the host's. Lives as long as the VM.
  virtual InstructionClock* instructionClock() { return nullptr; }

  // Whether the next three work; a machine does without where not.
  virtual bool hasEventfds() const = 0;
  // A 4-byte write at `address`, of whatever value, signals the eventfd instead of leaving run().
  virtual Status attachDoorbell(GuestAddress address, const Eventfd& doorbell) = 0;
  virtual Status detachDoorbell(GuestAddress address, const Eventfd& doorbell) = 0;
  // A signal on the eventfd is an edge on the line.
  virtual Status attachInterrupt(std::uint32_t gsi, const Eventfd& source) = 0;
};

class Hypervisor {
 public:
  virtual ~Hypervisor() = default;

  virtual std::string name() const = 0;  // "kvm" or "soft"
  // Every CPUID leaf that a guest could be offered; a CPU template takes away from it.
  virtual Result<CpuidTable> supportedCpuid() = 0;
  virtual Result<std::unique_ptr<Vm>> createVm(PitModel pit) = 0;
};

}  // namespace qm
