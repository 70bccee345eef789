#include "vmm/hypervisor/soft/system/events.h"

#include <array>
#include <utility>

#include "vmm/hypervisor/soft/cpu/debug.h"
#include "vmm/hypervisor/soft/memory/access.h"
#include "vmm/hypervisor/soft/memory/page_walk.h"

namespace qm::soft {

namespace {

constexpr std::uint8_t kInterruptGate = 0xe, kTrapGate = 0xf;
constexpr std::uint32_t kInIdt = 2, kExternal = 1;  // of a selector error code (SDM 3A, figure 6-7)

// A gate of 64-bit mode (SDM 3A, figure 6-8).
struct Gate {
  std::uint64_t low, high;
  std::uint64_t target() const { return (low & 0xffff) | (low >> 32U & 0xffff'0000) | high << 32U; }
  std::uint16_t selector() const { return static_cast<std::uint16_t>(low >> 16U); }
  unsigned stackTable() const { return static_cast<unsigned>(low >> 32U & 7U); }
  std::uint8_t type() const { return low >> 40U & 0x1fU; }
  std::uint8_t dpl() const { return low >> 45U & 3U; }
  bool isPresent() const { return (low >> 47U & 1U) != 0; }
};

// A code segment's descriptor (SDM 3A, figure 3-8).
struct CodeDescriptor {
  std::uint64_t raw;
  std::uint8_t type() const { return raw >> 40U & 0xfU; }
  bool isCode() const { return (raw >> 43U & 3U) == 3; }  // S and the type's top bit
  bool isConforming() const { return (raw >> 42U & 1U) != 0; }
  std::uint8_t dpl() const { return raw >> 45U & 3U; }
  bool isPresent() const { return (raw >> 47U & 1U) != 0; }
  bool isLong() const { return (raw >> 53U & 3U) == 1; }  // L without D
};

bool fail(Cpu& cpu, Exception exception, std::uint32_t code) {
  return raise(cpu, exception, code);
}

bool readGate(Cpu& cpu, const Event& event, std::uint32_t external, Gate& gate) {
  const std::uint32_t code = std::uint32_t{event.vector} * 8 + kInIdt + external;
  const std::uint32_t offset = std::uint32_t{event.vector} * 16;
  if (offset + 15 > cpu.system.idt.limit) return fail(cpu, Exception::generalProtection, code);
  if (!readAs(cpu, Privilege::kernel, cpu.system.idt.base + offset, &gate, sizeof gate)) return false;
  if (gate.type() != kInterruptGate && gate.type() != kTrapGate) return fail(cpu, Exception::generalProtection, code);
  if (event.source == Event::Source::software && gate.dpl() < cpu.system.cpl)
    return fail(cpu, Exception::generalProtection, code);
  return gate.isPresent() || fail(cpu, Exception::segmentNotPresent, code);
}

bool readCode(Cpu& cpu, std::uint16_t selector, std::uint32_t external, CodeDescriptor& descriptor) {
  const std::uint32_t code = (selector & 0xfffcU) + external;
  if ((selector & 0xfffcU) == 0) return fail(cpu, Exception::generalProtection, external);
  const bool isLocal = (selector & 4U) != 0;
  const std::uint64_t base = isLocal ? cpu.system.ldt.base : cpu.system.gdt.base;
  const std::uint32_t limit = isLocal ? (cpu.system.ldt.unusable ? 0 : cpu.system.ldt.limit) : cpu.system.gdt.limit;
  const std::uint32_t offset = selector & 0xfff8U;
  if (offset + 7 > limit) return fail(cpu, Exception::generalProtection, code);
  if (!readAs(cpu, Privilege::kernel, base + offset, &descriptor.raw, sizeof descriptor.raw)) return false;
  if (!descriptor.isCode() || descriptor.dpl() > cpu.system.cpl || !descriptor.isLong())
    return fail(cpu, Exception::generalProtection, code);
  return descriptor.isPresent() || fail(cpu, Exception::segmentNotPresent, code);
}

// A stack pointer of the 64-bit TSS (SDM 3A, figure 7-11): RSP0-2 from byte 4, IST1-7 from byte 36.
bool readTssStack(Cpu& cpu, std::uint32_t offset, std::uint32_t external, std::uint64_t& rsp) {
  const Segment& tr = cpu.system.tr;
  if (offset + 7 > tr.limit) return fail(cpu, Exception::invalidTss, (tr.selector & 0xfffcU) + external);
  if (!readAs(cpu, Privilege::kernel, tr.base + offset, &rsp, sizeof rsp)) return false;
  return isCanonical(rsp) || fail(cpu, Exception::stackFault, external);
}

Segment codeSegment(std::uint16_t selector, const CodeDescriptor& descriptor, std::uint8_t cpl) {
  return {.limit = 0xffff'ffff,
          .selector = static_cast<std::uint16_t>((selector & 0xfffcU) | cpl),
          .type = static_cast<std::uint8_t>(descriptor.type() | 1U),
          .dpl = cpl,
          .s = true,
          .present = true,
          .l = true,
          .g = true};
}

// What a stack switch loads into SS (SDM 3A, 6.14.2): null, with the new CPL.
Segment nullStack(std::uint8_t cpl) {
  return {.selector = cpl, .dpl = cpl, .unusable = true};
}

bool pushFrame(Cpu& cpu, const Event& event, std::uint8_t newCpl, std::uint64_t& rsp) {
  std::uint64_t flags = wholeRflags(cpu, cpu.flags);
  if (event.isFault) flags |= rflags::kRf;
  const auto& segments = cpu.system.segments;
  std::array<std::uint64_t, 6> frame{event.errorCode.value_or(0),
                                     event.returnRip,
                                     segments[static_cast<std::size_t>(SegmentName::cs)].selector,
                                     flags,
                                     cpu.gpr[4],
                                     segments[static_cast<std::size_t>(SegmentName::ss)].selector};
  const std::size_t first = event.errorCode ? 0 : 1;
  const unsigned bytes = static_cast<unsigned>((frame.size() - first) * sizeof frame[0]);
  rsp = (rsp & ~std::uint64_t{15}) - bytes;
  return writeAs(cpu, newCpl == 3 ? Privilege::user : Privilege::kernel, rsp, &frame[first], bytes);
}

}  // namespace

bool enterHandler(Cpu& cpu, const Event& event) {
  SystemState& system = cpu.system;
  const std::uint32_t external = event.source == Event::Source::hardware ? kExternal : 0;
  Gate gate{};
  CodeDescriptor code{};
  if (!readGate(cpu, event, external, gate) || !readCode(cpu, gate.selector(), external, code)) return false;
  const std::uint8_t newCpl = code.isConforming() ? system.cpl : code.dpl();
  std::uint64_t rsp = cpu.gpr[4];
  if (gate.stackTable() != 0) {
    if (!readTssStack(cpu, 36 + (gate.stackTable() - 1) * 8, external, rsp)) return false;
  } else if (newCpl != system.cpl) {
    if (!readTssStack(cpu, 4 + newCpl * 8U, external, rsp)) return false;
  }
  if (!isCanonical(gate.target())) return fail(cpu, Exception::generalProtection, external);
  if (!pushFrame(cpu, event, newCpl, rsp)) return false;
  if (newCpl != system.cpl) system.segments[static_cast<std::size_t>(SegmentName::ss)] = nullStack(newCpl);
  system.segments[static_cast<std::size_t>(SegmentName::cs)] = codeSegment(gate.selector(), code, newCpl);
  cpu.gpr[4] = rsp;
  cpu.rip = gate.target();
  cpu.rflags &= ~(rflags::kTf | rflags::kNt | rflags::kRf | rflags::kVm);
  if (gate.type() == kInterruptGate) cpu.rflags &= ~rflags::kIf;
  cpu.shadowRip = ~std::uint64_t{0};
  modeChanged(cpu);
  return true;
}

namespace {

bool isContributory(Exception exception) {
  switch (exception) {
    case Exception::divideError:
    case Exception::invalidTss:
    case Exception::segmentNotPresent:
    case Exception::stackFault:
    case Exception::generalProtection:
      return true;
    default:
      return false;
  }
}

// SDM 3A, table 6-5.
bool becomesDoubleFault(Exception first, Exception second) {
  if (first == Exception::pageFault) return second == Exception::pageFault || isContributory(second);
  return isContributory(first) && isContributory(second);
}

bool hasErrorCode(Exception exception) {
  switch (exception) {
    case Exception::doubleFault:
    case Exception::invalidTss:
    case Exception::segmentNotPresent:
    case Exception::stackFault:
    case Exception::generalProtection:
    case Exception::pageFault:
    case Exception::alignmentCheck:
      return true;
    default:
      return false;
  }
}

Event eventOf(const Cpu& cpu, const Fault& fault) {
  Event event{.vector = static_cast<std::uint8_t>(fault.exception), .returnRip = cpu.rip};
  if (hasErrorCode(fault.exception)) event.errorCode = fault.errorCode;
  event.isFault = fault.exception != Exception::debug && fault.exception != Exception::doubleFault;
  return event;
}

// What a delivery writes may be code, as what an instruction writes that runs by itself.
class ByItself {
 public:
  explicit ByItself(Cpu& cpu) : cpu_(cpu), was_(std::exchange(cpu.stepping, true)) {}
  ByItself(const ByItself&) = delete;
  ByItself& operator=(const ByItself&) = delete;
  ~ByItself() { cpu_.stepping = was_; }

 private:
  Cpu& cpu_;
  bool was_;
};

Delivery deliver(Cpu& cpu, Event event, std::optional<Exception> first) {
  if (cpu.system.codeSize != CodeSize::bits64 && (cpu.system.efer & efer::kLma) == 0) return Delivery::notModelled;
  const ByItself byItself(cpu);
  while (!enterHandler(cpu, event)) {
    if (cpu.stop != Stop::exception) {
      cpu.devices.wanted.reset();
      cpu.stop = Stop::none;
      return Delivery::onDevice;
    }
    const Exception second = cpu.fault.exception;
    if (first == Exception::doubleFault) return Delivery::tripleFault;
    if (second == Exception::pageFault) cpu.system.cr2 = cpu.fault.address;
    const bool isDouble = first.has_value() && becomesDoubleFault(*first, second);
    if (isDouble) cpu.fault = {.exception = Exception::doubleFault};
    first = cpu.fault.exception;
    event = eventOf(cpu, cpu.fault);
  }
  if (event.vector == static_cast<std::uint8_t>(Exception::debug)) enterDebugException(cpu);
  cpu.stop = Stop::none;
  return Delivery::done;
}

}  // namespace

Delivery deliverFault(Cpu& cpu) {
  if (cpu.fault.exception == Exception::pageFault) cpu.system.cr2 = cpu.fault.address;
  return deliver(cpu, eventOf(cpu, cpu.fault), cpu.fault.exception);
}

Delivery deliverInterrupt(Cpu& cpu, std::uint8_t vector) {
  return deliver(cpu, {.vector = vector, .returnRip = cpu.rip}, std::nullopt);
}

}  // namespace qm::soft
