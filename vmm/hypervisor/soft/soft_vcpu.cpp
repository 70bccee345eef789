#include "vmm/hypervisor/soft/soft_vcpu.h"

#include <utility>

#include <fmt/format.h>

#include "vmm/hypervisor/soft/chips/interrupt_fabric.h"
#include "vmm/hypervisor/soft/cpu/debug.h"
#include "vmm/hypervisor/soft/memory/tlb_flush.h"
#include "vmm/hypervisor/soft/system/cpuid.h"
#include "vmm/hypervisor/soft/system/kvm_clock.h"
#include "vmm/hypervisor/soft/system/msrs.h"
#include "vmm/hypervisor/soft/time/guest_clock.h"
#include "vmm/hypervisor/soft/vcpu/extended_area.h"
#include "vmm/hypervisor/soft/vcpu/register_groups.h"

namespace qm::soft {

namespace {

bool hasPayload(Exception exception) {
  return exception == Exception::pageFault || exception == Exception::debug;
}

// What a saved exception brings with it; one whose delivery had begun has left it in CR2 or DR6 already.
std::uint64_t payloadOf(const Cpu& cpu, const PendingEvents& events, Exception exception) {
  if (events.exceptionHasPayload) return events.exceptionPayload;
  if (exception == Exception::pageFault) return cpu.system.cr2;
  return exception == Exception::debug ? cpu.system.debug.dr6 & ~dr6::kReserved : 0;
}

PendingEvents saveEvents(Cpu& cpu, const RunLoop& loop) {
  PendingEvents events;
  events.nmiMasked = cpu.system.nmiMasked;
  events.nmiPending = cpu.around.chips.work(cpu.around.index, readTsc(cpu)).nmi;
  // shadowRip stays behind; while IF is 0 it holds nothing back, and no processor has such a state.
  events.shadowSti = cpu.rip == cpu.shadowRip && (cpu.rflags & rflags::kIf) != 0;
  if (const std::optional<Fault> exception = loop.injectedException()) {
    events.exceptionPending = true;
    events.exceptionVector = static_cast<std::uint8_t>(exception->exception);
    events.exceptionErrorCode = exception->errorCode;
    events.exceptionHasErrorCode = exception->errorCode != 0;
    events.exceptionHasPayload = hasPayload(exception->exception);
    events.exceptionPayload = events.exceptionHasPayload ? exception->address : 0;
  }
  if (const std::optional<std::uint8_t> interrupt = loop.injectedInterrupt()) {
    events.interruptInjected = true;
    events.interruptVector = *interrupt;
  }
  return events;
}

Status loadEvents(RunLoop& loop, const PendingEvents& events) {
  Cpu& cpu = loop.cpu();
  if (events.smmActive || events.smiPending || events.tripleFaultPending)
    return Error(Remedy::fixInput, "the saved vCPU was in system management mode or had a triple fault");
  cpu.system.nmiMasked = events.nmiMasked;
  if (events.nmiPending || events.nmiInjected) cpu.around.chips.raiseNmi(cpu.around.index);
  cpu.shadowRip = events.shadowSti || events.shadowMovSs ? cpu.rip : ~std::uint64_t{0};
  std::optional<Fault> exception;
  if (events.exceptionInjected || events.exceptionPending) {
    const auto which = static_cast<Exception>(events.exceptionVector & 31U);
    exception =
        Fault{.exception = which, .errorCode = events.exceptionErrorCode, .address = payloadOf(cpu, events, which)};
  }
  std::optional<std::uint8_t> interrupt;
  if (events.interruptInjected && !events.interruptSoft) interrupt = events.interruptVector;
  if (events.interruptInjected && events.interruptSoft)
    return Error(Remedy::fixInput, "the saved vCPU was in the middle of INT n, which cannot be carried over");
  loop.setInjected(exception, interrupt);
  return {};
}

}  // namespace

Result<std::unique_ptr<SoftVcpu>> SoftVcpu::create(Surroundings around, BlockCache::OnUnmodelled onUnmodelled) {
  auto blocks = TRY(BlockCache::create(std::move(onUnmodelled)));
  return std::unique_ptr<SoftVcpu>(new SoftVcpu(around, std::move(blocks)));
}

SoftVcpu::~SoftVcpu() {
  if (onEnd_) onEnd_(loop_.counters());
}

Status SoftVcpu::setCpuid(const CpuidTable& cpuid) {
  setGuestCpuid(loop_.cpu(), cpuid);
  return {};
}

Result<CpuState> SoftVcpu::save() {
  TRY(loop_.settle());
  Cpu& cpu = loop_.cpu();
  CpuState state;
  state.cpuid = cpu.system.cpuid;
  state.tscKhz = cpu.around.clock.tscKhz();
  state.runState = loop_.runState();
  state.registers = saveRegisters(cpu);
  state.debug = cpu.system.debug;
  state.extended = saveExtended(cpu);
  // The page before the MSRs: a timer that has run out is then a request in it, and no deadline any more.
  state.localApic = cpu.around.chips.saveLocal(cpu.around.index, readTsc(cpu));
  state.msrs = saveMsrs(cpu);
  state.system = saveSystem(cpu);
  state.events = saveEvents(cpu, loop_);
  if (cpu.around.clock.kind() == SoftClock::instructions) {
    state.hasRandomState = true;
    state.randomState = cpu.randomState;
    state.timerExpiry = cpu.around.chips.timerExpiry(cpu.around.index);
    // Whoever is made of this state walks the page tables anew and marks entries as accessed; so does this one.
    flushAll(cpu);
  }
  return state;
}

// The order is state.h's.
Status SoftVcpu::load(const CpuState& state) {
  Cpu& cpu = loop_.cpu();
  setGuestCpuid(cpu, state.cpuid);
  if (state.tscKhz != 0) {
    cpu.around.clock.setTscKhz(state.tscKhz);
    cpu.around.chips.setTscKhz(state.tscKhz);
  }
  TRY(loadSystem(cpu, state.system));
  loadRegisters(cpu, state.registers);
  cpu.system.debug = state.debug;
  TRY(loadExtended(cpu, state.extended));
  // The TSC before the timer that counts it.
  TRY(loadTsc(cpu, state.msrs));
  cpu.around.chips.loadLocal(cpu.around.index, state.localApic, readTsc(cpu));
  if (state.timerExpiry != 0) cpu.around.chips.loadTimerExpiry(cpu.around.index, state.timerExpiry);
  TRY(loadMsrs(cpu, state.msrs));
  loop_.setRunState(state.runState);
  TRY(loadEvents(loop_, state.events));
  if (state.hasRandomState) cpu.randomState = state.randomState;
  modeChanged(cpu);
  return {};
}

Status SoftVcpu::setRegisters(const Registers& registers, const SystemRegisters& system) {
  TRY(loadSystem(loop_.cpu(), system));
  loadRegisters(loop_.cpu(), registers);
  loop_.setRunState(RunState::runnable);
  return {};
}

Result<SystemRegisters> SoftVcpu::systemRegisters() {
  return saveSystem(loop_.cpu());
}

Result<Registers> SoftVcpu::registers() {
  return saveRegisters(loop_.cpu());
}

Status SoftVcpu::markResumed() {
  markClockResumed(loop_.cpu());
  return {};
}

}  // namespace qm::soft
