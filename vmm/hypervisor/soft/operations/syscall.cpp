#include "vmm/hypervisor/soft/operations/syscall.h"

#include "vmm/hypervisor/soft/cpu/unmodelled.h"
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

// Which code an exit goes to: REX.W says.
enum class Exit : std::uint8_t { bits32, bits64 };

// The flat segments that these instructions load without asking a table (SDM 2, SYSCALL).
Segment flatCode(std::uint64_t selector, std::uint8_t cpl, Exit to = Exit::bits64) {
  return {.limit = 0xffff'ffff,
          .selector = static_cast<std::uint16_t>((selector & 0xfffcU) | cpl),
          .type = 0xb,
          .dpl = cpl,
          .s = true,
          .present = true,
          .l = to == Exit::bits64,
          .db = to == Exit::bits32,
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

// What of RFLAGS comes from R11: SDM 2, SYSRET.
template <Exit to>
Outcome leaveSystem(Cpu& cpu, const Operation& /*op*/) {
  constexpr std::uint64_t kLoaded = 0x3c'7fd7;
  if (!isOpen(cpu)) return refuse(cpu, Exception::invalidOpcode);
  const std::uint64_t rip = to == Exit::bits64 ? cpu.gpr[kRcx] : cpu.gpr[kRcx] & 0xffff'ffff;
  if (cpu.system.cpl != 0 || !isCanonical(rip)) return refuse(cpu, Exception::generalProtection);
  loadFlags(cpu, (cpu.gpr[kR11] & kLoaded) | rflags::kFixed, ~std::uint64_t{0});
  const std::uint64_t selector = cpu.system.star >> 48U;
  return enter(cpu, flatCode(to == Exit::bits64 ? selector + 16 : selector, 3, to), flatStack(selector + 8, 3), rip);
}

// ---- SYSENTER, SYSEXIT: their selectors follow from IA32_SYSENTER_CS

bool hasTarget(const Cpu& cpu) {
  return isProtected(cpu) && !isNull(static_cast<std::uint16_t>(cpu.system.sysenterCs));
}

// From 64-bit and compatibility mode; before IA-32e mode it would lead to 32-bit code.
Outcome enterFast(Cpu& cpu, const Operation& op) {
  if (!hasTarget(cpu)) return refuse(cpu, Exception::generalProtection);
  if (!isLongMode(cpu)) {
    refuseUnmodelled(cpu, op);
    return Outcome::stopped;
  }
  cpu.rflags &= ~(rflags::kVm | rflags::kIf | rflags::kRf);
  cpu.gpr[kRsp] = cpu.system.sysenterEsp;
  const std::uint64_t selector = cpu.system.sysenterCs & 0xfffc;
  return enter(cpu, flatCode(selector, 0), flatStack(selector + 8, 0), cpu.system.sysenterEip);
}

template <Exit to>
Outcome leaveFast(Cpu& cpu, const Operation& op) {
  constexpr std::uint64_t kMask = to == Exit::bits64 ? ~std::uint64_t{0} : 0xffff'ffff;
  const std::uint64_t rip = cpu.gpr[kRdx] & kMask, rsp = cpu.gpr[kRcx] & kMask;
  if (!hasTarget(cpu) || cpu.system.cpl != 0 || !isCanonical(rip) || !isCanonical(rsp))
    return refuse(cpu, Exception::generalProtection);
  if (!isLongMode(cpu)) {
    refuseUnmodelled(cpu, op);
    return Outcome::stopped;
  }
  cpu.gpr[kRsp] = rsp;
  const std::uint64_t selector = (cpu.system.sysenterCs & 0xfffc) + (to == Exit::bits64 ? 32 : 16);
  return enter(cpu, flatCode(selector, 3, to), flatStack(selector + 8, 3), rip);
}

// ---- lowering

template <Handler handler>
bool lowerEntry(const Instruction& /*instruction*/, Emitter& emitter) {
  emitter.addEnd(handler);
  return true;
}

template <Handler to64, Handler to32>
bool lowerExit(const Instruction& instruction, Emitter& emitter) {
  emitter.addEnd(instruction.operandBits() == 64 ? to64 : to32);
  return true;
}

constexpr std::array kLowerings{
    Lowering{ZYDIS_MNEMONIC_SYSCALL, &lowerEntry<&system<&enterSystem>>},
    Lowering{ZYDIS_MNEMONIC_SYSRET,
             &lowerExit<&system<&leaveSystem<Exit::bits64>>, &system<&leaveSystem<Exit::bits32>>>},
    Lowering{ZYDIS_MNEMONIC_SYSENTER, &lowerEntry<&system<&enterFast>>},
    Lowering{ZYDIS_MNEMONIC_SYSEXIT, &lowerExit<&system<&leaveFast<Exit::bits64>>, &system<&leaveFast<Exit::bits32>>>},
};

}  // namespace

std::span<const Lowering> syscallLowerings() {
  return kLowerings;
}

}  // namespace qm::soft
