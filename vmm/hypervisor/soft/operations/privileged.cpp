#include "vmm/hypervisor/soft/operations/privileged.h"

#include "vmm/hypervisor/soft/memory/page_walk.h"
#include "vmm/hypervisor/soft/memory/tlb_flush.h"
#include "vmm/hypervisor/soft/operations/operand.h"
#include "vmm/hypervisor/soft/operations/register_place.h"
#include "vmm/hypervisor/soft/system/cpuid.h"
#include "vmm/hypervisor/soft/system/interrupt_flag.h"
#include "vmm/hypervisor/soft/system/msrs.h"
#include "vmm/hypervisor/soft/time/guest_clock.h"

namespace qm::soft {

namespace {

Outcome refuse(Cpu& cpu) {
  raise(cpu, Exception::generalProtection);
  return Outcome::stopped;
}

// As EDX:EAX.
void answer(Cpu& cpu, std::uint64_t value) {
  setReg(cpu, place::kRax, static_cast<std::uint32_t>(value));
  setReg(cpu, place::kRdx, static_cast<std::uint32_t>(value >> 32U));
}

// ---- interrupts

Outcome halt(Cpu& cpu, const Operation& op) {
  if (cpu.system.cpl != 0) return refuse(cpu);
  cpu.rip = addressAfter(cpu, op);
  cpu.afterwards = Afterwards::halt;
  return Outcome::left;
}

bool closeInterrupts(Cpu& cpu, const Operation& /*op*/, Flags& /*flags*/) {
  if (!mayChangeInterruptFlag(cpu)) return raise(cpu, Exception::generalProtection);
  cpu.rflags &= ~rflags::kIf;
  return true;
}

// No interrupt comes before the instruction after STI, if IF was 0. Where none waits, the block goes on: those that
// come later are taken at its end.
Outcome openInterrupts(Cpu& cpu, const Operation& op) {
  if (!mayChangeInterruptFlag(cpu)) return refuse(cpu);
  if ((cpu.rflags & rflags::kIf) != 0) return Outcome::next;
  cpu.rflags |= rflags::kIf;
  cpu.shadowRip = addressAfter(cpu, op);
  if (!interruptsOpened(cpu)) return Outcome::next;
  cpu.rip = addressAfter(cpu, op);
  return Outcome::elsewhere;
}

// ---- EFLAGS.AC, which opens user pages to the kernel (SMAP)

enum class UserPages : std::uint8_t { closed, open };

template <UserPages pages>
bool setAlignmentCheck(Cpu& cpu, const Operation& /*op*/, Flags& /*flags*/) {
  if (cpu.system.cpl != 0) return raise(cpu, Exception::invalidOpcode);
  cpu.rflags = pages == UserPages::open ? cpu.rflags | rflags::kAc : cpu.rflags & ~rflags::kAc;
  privilegeChanged(cpu);
  return true;
}

// ---- what the processor is, its time, its registers

Outcome identify(Cpu& cpu, const Operation& /*op*/) {
  const CpuidAnswer is = readCpuid(cpu, reg<std::uint32_t>(cpu, place::kRax), reg<std::uint32_t>(cpu, place::kRcx));
  setReg(cpu, place::kRax, is.eax);
  setReg(cpu, place::kRbx, is.ebx);
  setReg(cpu, place::kRcx, is.ecx);
  setReg(cpu, place::kRdx, is.edx);
  return Outcome::next;
}

enum class Tsc : std::uint8_t { alone, withAux };

template <Tsc which>
Outcome readTimeStamp(Cpu& cpu, const Operation& /*op*/) {
  if ((cpu.system.cr4 & cr4::kTsd) != 0 && cpu.system.cpl != 0) return refuse(cpu);
  answer(cpu, readTsc(cpu));
  if constexpr (which == Tsc::withAux) setReg(cpu, place::kRcx, static_cast<std::uint32_t>(cpu.system.tscAux));
  return Outcome::next;
}

bool readProcessorId(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  setReg(cpu, op.to, cpu.system.tscAux);
  return true;
}

Outcome readModelSpecific(Cpu& cpu, const Operation& /*op*/) {
  std::uint64_t value = 0;
  if (cpu.system.cpl != 0 || !readMsr(cpu, reg<std::uint32_t>(cpu, place::kRcx), value)) return refuse(cpu);
  answer(cpu, value);
  return Outcome::next;
}

Outcome writeModelSpecific(Cpu& cpu, const Operation& op) {
  const std::uint64_t value =
      std::uint64_t{reg<std::uint32_t>(cpu, place::kRdx)} << 32U | reg<std::uint32_t>(cpu, place::kRax);
  if (cpu.system.cpl != 0 || !writeMsr(cpu, reg<std::uint32_t>(cpu, place::kRcx), value)) return refuse(cpu);
  cpu.rip = addressAfter(cpu, op);
  return Outcome::elsewhere;
}

// There are no performance counters.
Outcome readPerformanceCounter(Cpu& cpu, const Operation& /*op*/) {
  return refuse(cpu);
}

// ---- translations and caches

// Nothing is remembered of an address that is not canonical.
Outcome forgetPage(Cpu& cpu, const Operation& op) {
  std::uint64_t address = 0;
  if (cpu.system.cpl != 0) return refuse(cpu);
  if (!effectiveAddress<Form::any>(cpu, op, address)) return Outcome::stopped;
  flushPage(cpu, address);
  cpu.rip = addressAfter(cpu, op);
  return Outcome::elsewhere;
}

// INVPCID's types (SDM 2), and whether its descriptor is one that the type allows.
enum class Forget : std::uint64_t { address, addressSpace, everything, allButGlobal };

bool mayForget(const Cpu& cpu, std::uint64_t type, std::uint64_t pcid, std::uint64_t address) {
  constexpr std::uint64_t kMostPcid = 0xfff;
  if (type > static_cast<std::uint64_t>(Forget::allButGlobal) || pcid > kMostPcid) return false;
  if (type > static_cast<std::uint64_t>(Forget::addressSpace)) return true;
  if (pcid != 0 && (cpu.system.cr4 & cr4::kPcide) == 0) return false;
  return type != static_cast<std::uint64_t>(Forget::address) || isCanonical(address);
}

Outcome forgetByPcid(Cpu& cpu, const Operation& op) {
  std::uint64_t at = 0, pcid = 0, address = 0;
  if (cpu.system.cpl != 0) return refuse(cpu);
  if (!effectiveAddress<Form::any>(cpu, op, at) || !load(cpu, at, pcid) || !load(cpu, at + sizeof pcid, address))
    return Outcome::stopped;
  const auto type = reg<std::uint64_t>(cpu, op.from);
  if (!mayForget(cpu, type, pcid, address)) return refuse(cpu);
  switch (static_cast<Forget>(type)) {
    case Forget::address:
      flushPage(cpu, address);
      break;
    case Forget::everything:
      flushAll(cpu);
      break;
    case Forget::addressSpace:
    case Forget::allButGlobal:
      flushNonGlobal(cpu);
      break;
  }
  cpu.rip = addressAfter(cpu, op);
  return Outcome::elsewhere;
}

// Caches are the host's.
Outcome forgetCaches(Cpu& cpu, const Operation& /*op*/) {
  return cpu.system.cpl == 0 ? Outcome::next : refuse(cpu);
}

// ---- UD

Outcome undefined(Cpu& cpu, const Operation& /*op*/) {
  raise(cpu, Exception::invalidOpcode);
  return Outcome::stopped;
}

// ---- lowering

template <Handler handler>
bool lowerPlain(const Instruction& /*instruction*/, Emitter& emitter) {
  emitter.add(handler);
  return true;
}

template <Handler handler>
bool lowerEnd(const Instruction& /*instruction*/, Emitter& emitter) {
  emitter.addEnd(handler);
  return true;
}

bool lowerRdpid(const Instruction& instruction, Emitter& emitter) {
  emitter.add(&step<&readProcessorId>).to = registerPlace(instruction.operand(0).reg.value);
  return true;
}

bool lowerInvlpg(const Instruction& instruction, Emitter& emitter) {
  emitter.addMemoryEnd(anySystemForm<&forgetPage>(), instruction.operand(0));
  return true;
}

bool lowerInvpcid(const Instruction& instruction, Emitter& emitter) {
  if (instruction.codeSize != CodeSize::bits64) return false;
  Operation& op = emitter.addMemoryEnd(anySystemForm<&forgetByPcid>(), instruction.operand(1));
  op.from = registerPlace(instruction.operand(0).reg.value);
  return true;
}

constexpr std::array kLowerings{
    Lowering{ZYDIS_MNEMONIC_HLT, &lowerEnd<&system<&halt>>},
    Lowering{ZYDIS_MNEMONIC_CLI, &lowerPlain<&step<&closeInterrupts>>},
    Lowering{ZYDIS_MNEMONIC_STI, &lowerPlain<&system<&openInterrupts>>},
    Lowering{ZYDIS_MNEMONIC_CLAC, &lowerPlain<&step<&setAlignmentCheck<UserPages::closed>>>},
    Lowering{ZYDIS_MNEMONIC_STAC, &lowerPlain<&step<&setAlignmentCheck<UserPages::open>>>},
    Lowering{ZYDIS_MNEMONIC_CPUID, &lowerPlain<&system<&identify>>},
    Lowering{ZYDIS_MNEMONIC_RDTSC, &lowerPlain<&system<&readTimeStamp<Tsc::alone>>>},
    Lowering{ZYDIS_MNEMONIC_RDTSCP, &lowerPlain<&system<&readTimeStamp<Tsc::withAux>>>},
    Lowering{ZYDIS_MNEMONIC_RDPID, &lowerRdpid},
    Lowering{ZYDIS_MNEMONIC_RDMSR, &lowerPlain<&system<&readModelSpecific>>},
    Lowering{ZYDIS_MNEMONIC_WRMSR, &lowerEnd<&system<&writeModelSpecific>>},
    Lowering{ZYDIS_MNEMONIC_RDPMC, &lowerEnd<&system<&readPerformanceCounter>>},
    Lowering{ZYDIS_MNEMONIC_INVLPG, &lowerInvlpg},
    Lowering{ZYDIS_MNEMONIC_INVPCID, &lowerInvpcid},
    Lowering{ZYDIS_MNEMONIC_WBINVD, &lowerPlain<&system<&forgetCaches>>},
    Lowering{ZYDIS_MNEMONIC_INVD, &lowerPlain<&system<&forgetCaches>>},
    Lowering{ZYDIS_MNEMONIC_UD0, &lowerEnd<&system<&undefined>>},
    Lowering{ZYDIS_MNEMONIC_UD1, &lowerEnd<&system<&undefined>>},
    Lowering{ZYDIS_MNEMONIC_UD2, &lowerEnd<&system<&undefined>>},
};

}  // namespace

std::span<const Lowering> privilegedLowerings() {
  return kLowerings;
}

}  // namespace qm::soft
