// KVM's paravirtual clock: a page in guest memory that tells how to make nanoseconds of the TSC. Linux,
// Documentation/virt/kvm/x86/msr.rst (MSR_KVM_SYSTEM_TIME_NEW, MSR_KVM_WALL_CLOCK_NEW); the layout is
// struct pvclock_vcpu_time_info's and pvclock_wall_clock's, whose version is odd while they are being written.
//
// Modelled: both MSRs by their new and their old numbers, the stable flag where the vCPU's TSC agrees with the others',
// the flag of a guest that was stopped. An address outside of memory is written to by nobody, as KVM has it.
#pragma once

#include <cstdint>

#include "vmm/hypervisor/soft/cpu/cpu.h"
#include "vmm/hypervisor/soft/time/guest_clock.h"

namespace qm::soft {

// WRMSR, by the vCPU's thread: the page is there when the instruction is done.
void writeSystemTimeMsr(Cpu& cpu, std::uint64_t value);
void writeWallClockMsr(Cpu& cpu, std::uint64_t value);

// The page must be written again (what it says has changed), by the next refreshKvmClock().
inline void invalidateKvmClock(Cpu& cpu) {
  cpu.system.kvmClock.writtenFor = 0;
}
// Whether a page that says so already is written again, with another version. A guest that was restored where its time
// had stood still has nothing to be told, and its memory stays as it was saved.
enum class Rewriting : std::uint8_t { always, whereItDiffers };
// By the vCPU's thread, whenever it begins to run: writes the page if the clock has changed since.
void writeKvmClock(Cpu& cpu, Rewriting rewriting);
inline void refreshKvmClock(Cpu& cpu) {
  if (cpu.system.kvmClock.isEnabled() && cpu.system.kvmClock.writtenFor != cpu.around.clock.generation()) [[unlikely]]
    writeKvmClock(cpu, Rewriting::whereItDiffers);
}

// Vcpu::markResumed(): the next refresh tells the guest that it was stopped. Nothing where it has no clock, or one of
// instructions, which stops with it.
void markClockResumed(Cpu& cpu);

}  // namespace qm::soft
