#include "vmm/hypervisor/soft/cpu/debug.h"

#include <array>
#include <utility>

namespace qm::soft {

namespace {

// DR7's R/W field.
enum class BreakOn : std::uint8_t { execution = 0, write = 1, port = 2, access = 3 };

struct Breakpoint {
  bool isEnabled = false;
  BreakOn on = BreakOn::execution;
  std::uint64_t first = 0, bytes = 1;
};

// SDM 3B, 17.2.4 and 17.2.5. The low bits of an address that its length spans do not count.
Breakpoint breakpoint(const DebugRegisters& debug, unsigned number) {
  constexpr std::array<std::uint64_t, 4> kBytes{1, 2, 8, 4};
  const std::uint64_t control = debug.dr7 >> (16 + number * 4);
  const std::uint64_t bytes = kBytes[control >> 2U & 3U];
  return {.isEnabled = (debug.dr7 >> (number * 2) & 3U) != 0,
          .on = static_cast<BreakOn>(control & 3U),
          .first = debug.db[number] & ~(bytes - 1),
          .bytes = bytes};
}

template <class Condition>
std::uint64_t enabledWhere(const DebugRegisters& debug, Condition condition) {
  std::uint64_t bits = 0;
  for (unsigned i = 0; i < debug.db.size(); ++i) {
    const Breakpoint at = breakpoint(debug, i);
    if (at.isEnabled && condition(at)) bits |= std::uint64_t{1} << i;
  }
  return bits;
}

std::uint64_t linearRip(const Cpu& cpu) {
  if (cpu.system.codeSize == CodeSize::bits64) return cpu.rip;
  return (cpu.rip + cpu.system.segments[static_cast<std::size_t>(SegmentName::cs)].base) & 0xffff'ffff;
}

}  // namespace

std::uint64_t dataBreakpointsAt(const DebugRegisters& debug, std::uint64_t address, unsigned bytes, Use use) {
  return enabledWhere(debug, [&](const Breakpoint& at) {
    const bool isOfKind = at.on == BreakOn::access || (at.on == BreakOn::write && use == Use::write);
    // Either begins within the other.
    return isOfKind && (address - at.first < at.bytes || at.first - address < bytes);
  });
}

bool hasInstructionBreakpoints(const Cpu& cpu) {
  if ((cpu.system.debug.dr7 & dr7::kEnables) == 0) [[likely]]
    return false;
  return enabledWhere(cpu.system.debug, [](const Breakpoint& at) { return at.on == BreakOn::execution; }) != 0;
}

bool hitsInstructionBreakpoint(Cpu& cpu) {
  if ((cpu.rflags & rflags::kRf) != 0 || !hasInstructionBreakpoints(cpu)) return false;
  const std::uint64_t rip = linearRip(cpu);
  const std::uint64_t bits = enabledWhere(
      cpu.system.debug, [rip](const Breakpoint& at) { return at.on == BreakOn::execution && at.first == rip; });
  return bits != 0 && !raiseDebug(cpu, bits);
}

bool raisesDebugTrap(Cpu& cpu, std::uint64_t rflagsBefore) {
  std::uint64_t bits = std::exchange(cpu.system.breakpointsHit, 0);
  const SingleStep step = std::exchange(cpu.singleStep, SingleStep::byFlag);
  const std::uint64_t flags = step == SingleStep::certain ? rflagsBefore : rflagsBefore & cpu.rflags;
  if (step != SingleStep::held && (flags & rflags::kTf) != 0) bits |= dr6::kBs;
  return bits != 0 && !raiseDebug(cpu, bits);
}

bool raiseDebug(Cpu& cpu, std::uint64_t bits) {
  raise(cpu, Exception::debug);
  cpu.fault.address = bits;
  return false;
}

// SDM 3B, 17.2.3: the processor sets bits and clears none but, if it likes, the breakpoints'.
void enterDebugException(Cpu& cpu) {
  constexpr std::uint64_t kCauses = dr6::kBreakpoints | dr6::kBd | dr6::kBs | dr6::kBt;
  DebugRegisters& debug = cpu.system.debug;
  debug.dr6 = (debug.dr6 & ~dr6::kBreakpoints) | (cpu.fault.address & kCauses) | dr6::kReserved;
  debug.dr7 &= ~dr7::kGd;
}

}  // namespace qm::soft
