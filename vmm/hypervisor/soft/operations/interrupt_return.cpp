#include "vmm/hypervisor/soft/operations/interrupt_return.h"

#include <array>
#include <span>

#include "vmm/hypervisor/soft/cpu/unmodelled.h"
#include "vmm/hypervisor/soft/operations/far_transfer.h"
#include "vmm/hypervisor/soft/operations/stack_access.h"
#include "vmm/hypervisor/soft/system/descriptor.h"
#include "vmm/hypervisor/soft/system/interrupt_flag.h"
#include "vmm/hypervisor/soft/system/segment_register.h"

namespace qm::soft {

namespace {

// Values of `bytes` each, from the stack's top on; the stack pointer goes past them. False: stopped, and it is
// anywhere.
bool popAll(Cpu& cpu, unsigned bytes, std::span<std::uint64_t> values) {
  for (std::uint64_t& value : values) {
    if (bytes == 8 ? !pop(cpu, value) : !legacyPop(cpu, value, bytes)) return false;
  }
  return true;
}

// rsp is put back unless the instruction is done.
class StackPointer {
 public:
  explicit StackPointer(Cpu& cpu) : cpu_(cpu), before_(cpu.gpr[kRsp]) {}
  StackPointer(const StackPointer&) = delete;
  StackPointer& operator=(const StackPointer&) = delete;
  ~StackPointer() { cpu_.gpr[kRsp] = before_; }
  void keep() { before_ = cpu_.gpr[kRsp]; }

 private:
  Cpu& cpu_;
  std::uint64_t before_;
};

// What the stack's width leaves of a stack pointer that is loaded (SDM 1, 6.2.3); code and stack are those returned to.
std::uint64_t loadedStackPointer(const Cpu& cpu, const Segment& code, const Segment& stack, std::uint64_t value) {
  if ((isLongMode(cpu) && code.l) || stack.db) return value;
  return (cpu.gpr[kRsp] & ~std::uint64_t{0xffff}) | (value & 0xffff);
}

struct Target {
  Segment code;
  std::uint64_t rip = 0;
  std::uint8_t cpl() const { return rplOf(code.selector); }
};

bool findTarget(Cpu& cpu, const Operation& op, std::uint64_t rip, std::uint64_t selector, Target& target) {
  target.rip = rip;
  return findCode(cpu, op, Way::back, static_cast<std::uint16_t>(selector), target.code) &&
         isReachable(cpu, target.code, rip);
}

bool findTargetStack(Cpu& cpu, const Target& target, std::uint64_t selector, Segment& stack) {
  const auto null = isLongMode(cpu) && target.code.l ? NullStack::allowed : NullStack::forbidden;
  return findStack(cpu, static_cast<std::uint16_t>(selector), target.cpl(), null, stack);
}

void enterWithStack(Cpu& cpu, const Target& target, const Segment& stack, std::uint64_t rsp) {
  const std::uint8_t cplBefore = cpu.system.cpl;
  cpu.gpr[kRsp] = loadedStackPointer(cpu, target.code, stack, rsp);
  segment(cpu, SegmentName::ss) = stack;
  enterCode(cpu, target.code, target.rip);
  if (cpu.system.cpl > cplBefore) dropClosedSegments(cpu);
}

// ---- far RET; `detail` is the operand size in bytes, `immediate` what it releases

Outcome farReturn(Cpu& cpu, const Operation& op) {
  StackPointer stackPointer(cpu);
  std::array<std::uint64_t, 2> frame{}, outer{};  // RIP, CS; RSP, SS
  Target target;
  if (!popAll(cpu, op.detail, frame) || !findTarget(cpu, op, frame[0], frame[1], target)) return Outcome::stopped;
  releaseStack(cpu, op.immediate);
  if (!isProtected(cpu) || target.cpl() == cpu.system.cpl) {
    enterCode(cpu, target.code, target.rip);
  } else {
    Segment stack;
    if (!popAll(cpu, op.detail, outer) || !findTargetStack(cpu, target, outer[1], stack)) return Outcome::stopped;
    enterWithStack(cpu, target, stack, outer[0]);
    releaseStack(cpu, op.immediate);
  }
  stackPointer.keep();
  return Outcome::elsewhere;
}

// ---- IRET

// Which flags an IRET of `bytes` loads at the current privilege.
std::uint64_t changeableFlags(const Cpu& cpu, unsigned bytes) {
  std::uint64_t changeable = rflags::kTf | rflags::kDf | rflags::kNt;
  if (bytes > 2) changeable |= rflags::kRf | rflags::kAc | rflags::kId;
  if (mayChangeInterruptFlag(cpu)) changeable |= rflags::kIf;
  if (cpu.system.cpl == 0) changeable |= rflags::kIopl;
  if (cpu.system.cpl == 0 && bytes > 2) changeable |= rflags::kVif | rflags::kVip;
  return changeable;
}

// NMIs are open again (SDM 3A, 6.7.1), whether or not the return succeeds.
void openNmis(Cpu& cpu) {
  if (!cpu.system.nmiMasked) [[likely]]
    return;
  cpu.system.nmiMasked = false;
  askForAttention(cpu);
}

// Tasks, and virtual-8086 mode.
bool isModelled(Cpu& cpu, const Operation& op, std::uint64_t flags) {
  if (!isProtected(cpu)) return true;
  const bool isNested = (cpu.rflags & rflags::kNt) != 0;
  if (isNested) return isLongMode(cpu) ? raise(cpu, Exception::generalProtection) : refuseUnmodelled(cpu, op);
  const bool isVirtual = !isLongMode(cpu) && op.detail > 2 && cpu.system.cpl == 0 && (flags & rflags::kVm) != 0;
  return !isVirtual || refuseUnmodelled(cpu, op);
}

Outcome interruptReturn(Cpu& cpu, const Operation& op) {
  openNmis(cpu);
  StackPointer stackPointer(cpu);
  std::array<std::uint64_t, 3> frame{};  // RIP, CS, RFLAGS
  Target target;
  if (!popAll(cpu, op.detail, frame) || !isModelled(cpu, op, frame[2]) ||
      !findTarget(cpu, op, frame[0], frame[1], target))
    return Outcome::stopped;
  const std::uint64_t changeable = changeableFlags(cpu, op.detail);
  // 64-bit mode's frames have a stack pointer always.
  const bool hasStack = cpu.system.codeSize == CodeSize::bits64 || (isProtected(cpu) && target.cpl() > cpu.system.cpl);
  if (hasStack) {
    std::array<std::uint64_t, 2> outer{};  // RSP, SS
    Segment stack;
    if (!popAll(cpu, op.detail, outer) || !findTargetStack(cpu, target, outer[1], stack)) return Outcome::stopped;
    loadFlags(cpu, frame[2], changeable);
    enterWithStack(cpu, target, stack, outer[0]);
  } else {
    loadFlags(cpu, frame[2], changeable);
    enterCode(cpu, target.code, target.rip);
  }
  stackPointer.keep();
  return Outcome::elsewhere;
}

}  // namespace

bool lowerInterruptReturn(const Instruction& instruction, Emitter& emitter) {
  emitter.addEnd(&system<&interruptReturn>).detail = static_cast<std::uint8_t>(instruction.operandBits() / 8);
  return true;
}

bool lowerFarRet(const Instruction& instruction, Emitter& emitter) {
  Operation& op = emitter.addEnd(&system<&farReturn>);
  op.detail = static_cast<std::uint8_t>(instruction.operandBits() / 8);
  op.immediate = isImmediate(instruction.operand(0)) ? instruction.operand(0).imm.value.u : 0;
  return true;
}

}  // namespace qm::soft
