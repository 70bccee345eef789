#include "vmm/hypervisor/soft/operations/syscall.h"

#include "vmm/hypervisor/soft/memory/page_walk.h"
#include "vmm/hypervisor/soft/operations/stack_access.h"
#include "vmm/hypervisor/soft/system/descriptor.h"
#include "vmm/hypervisor/soft/system/interrupt_flag.h"
#include "vmm/hypervisor/soft/system/segment_register.h"

namespace qm::soft {

namespace {

constexpr std::size_t kRcx = 1, kRdx = 2, kR11 = 11;

Outcome refuse(Cpu& cpu, Exception exception) {
  raise(cpu, exception);
  return Outcome::stopped;
}

// The flat segments that these instructions load without asking a table (SDM 2, SYSCALL).
Segment flatCode(std::uint64_t selector, std::uint8_t cpl) {
  return {.limit = 0xffff'ffff,
          .selector = static_cast<std::uint16_t>((selector & 0xfffcU) | cpl),
          .type = 0xb,
          .dpl = cpl,
          .s = true,
          .present = true,
          .l = true,
          .g = true};
}
Segment flatStack(std::uint64_t selector, std::uint8_t cpl) {
  return {.limit = 0xffff'ffff,
          .selector = static_cast<std::uint16_t>((selector & 0xfffcU) | cpl),
          .type = 3,
          .dpl = cpl,
          .s = true,
          .present = true,
          .db = true,
          .g = true};
}

Outcome enter(Cpu& cpu, const Segment& code, const Segment& stack, std::uint64_t rip) {
  segment(cpu, SegmentName::cs) = code;
  segment(cpu, SegmentName::ss) = stack;
  cpu.rip = rip;
  modeChanged(cpu);
  return Outcome::elsewhere;
}

// ---- SYSCALL, SYSRET: their selectors are fields of IA32_STAR

bool isOpen(const Cpu& cpu) {
  return cpu.system.codeSize == CodeSize::bits64 && (cpu.system.efer & efer::kSce) != 0;
}

Outcome enterSystem(Cpu& cpu, const Operation& op) {
  if (!isOpen(cpu)) return refuse(cpu, Exception::invalidOpcode);
  const std::uint64_t flags = wholeRflags(cpu, cpu.flags) & ~rflags::kRf;
  const std::uint64_t kept = flags & ~cpu.system.sfmask;
  cpu.gpr[kRcx] = addressAfter(cpu, op);
  cpu.gpr[kR11] = flags;
  cpu.flags = statusFromRflags(kept);
  cpu.rflags = (kept & ~rflags::kStatus) | rflags::kFixed;
  const std::uint64_t selector = cpu.system.star >> 32U & 0xffff;
  return enter(cpu, flatCode(selector, 0), flatStack((selector & 0xfffcU) + 8, 0), cpu.system.lstar);
}

// To 64-bit code. What of RFLAGS comes from R11: SDM 2, SYSRET.
Outcome leaveSystem(Cpu& cpu, const Operation& /*op*/) {
  constexpr std::uint64_t kLoaded = 0x3c'7fd7;
  if (!isOpen(cpu)) return refuse(cpu, Exception::invalidOpcode);
  const std::uint64_t rip = cpu.gpr[kRcx];
  if (cpu.system.cpl != 0 || !isCanonical(rip)) return refuse(cpu, Exception::generalProtection);
  loadFlags(cpu, (cpu.gpr[kR11] & kLoaded) | rflags::kFixed, ~std::uint64_t{0});
  const std::uint64_t selector = cpu.system.star >> 48U;
  return enter(cpu, flatCode(selector + 16, 3), flatStack(selector + 8, 3), rip);
}

// ---- SYSENTER, SYSEXIT: their selectors follow from IA32_SYSENTER_CS

bool hasTarget(const Cpu& cpu) {
  return isProtected(cpu) && !isNull(static_cast<std::uint16_t>(cpu.system.sysenterCs));
}

Outcome enterFast(Cpu& cpu, const Operation& /*op*/) {
  if (!hasTarget(cpu)) return refuse(cpu, Exception::generalProtection);
  cpu.rflags &= ~(rflags::kVm | rflags::kIf | rflags::kRf);
  cpu.gpr[kRsp] = cpu.system.sysenterEsp;
  const std::uint64_t selector = cpu.system.sysenterCs & 0xfffc;
  return enter(cpu, flatCode(selector, 0), flatStack(selector + 8, 0), cpu.system.sysenterEip);
}

// To 64-bit code.
Outcome leaveFast(Cpu& cpu, const Operation& /*op*/) {
  const std::uint64_t rip = cpu.gpr[kRdx], rsp = cpu.gpr[kRcx];
  if (!hasTarget(cpu) || cpu.system.cpl != 0 || !isCanonical(rip) || !isCanonical(rsp))
    return refuse(cpu, Exception::generalProtection);
  cpu.gpr[kRsp] = rsp;
  const std::uint64_t selector = cpu.system.sysenterCs & 0xfffc;
  return enter(cpu, flatCode(selector + 32, 3), flatStack(selector + 40, 3), rip);
}

// ---- lowering: 64-bit mode's forms alone

template <Handler handler>
bool lowerEntry(const Instruction& instruction, Emitter& emitter) {
  if (instruction.codeSize != CodeSize::bits64) return false;
  emitter.addEnd(handler);
  return true;
}

// Without REX.W it goes to compatibility mode.
template <Handler handler>
bool lowerExit(const Instruction& instruction, Emitter& emitter) {
  if (instruction.codeSize != CodeSize::bits64 || instruction.operandBits() != 64) return false;
  emitter.addEnd(handler);
  return true;
}

constexpr std::array kLowerings{
    Lowering{ZYDIS_MNEMONIC_SYSCALL, &lowerEntry<&system<&enterSystem>>},
    Lowering{ZYDIS_MNEMONIC_SYSRET, &lowerExit<&system<&leaveSystem>>},
    Lowering{ZYDIS_MNEMONIC_SYSENTER, &lowerEntry<&system<&enterFast>>},
    Lowering{ZYDIS_MNEMONIC_SYSEXIT, &lowerExit<&system<&leaveFast>>},
};

}  // namespace

std::span<const Lowering> syscallLowerings() {
  return kLowerings;
}

}  // namespace qm::soft
