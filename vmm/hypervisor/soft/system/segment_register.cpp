#include "vmm/hypervisor/soft/system/segment_register.h"

#include "vmm/hypervisor/soft/cpu/unmodelled.h"
#include "vmm/hypervisor/soft/memory/page_walk.h"
#include "vmm/hypervisor/soft/system/descriptor.h"

namespace qm::soft {

namespace {

bool refuse(Cpu& cpu, std::uint16_t selector) {
  return raise(cpu, Exception::generalProtection, errorCodeOf(selector));
}

// Limit and rights stay what they were (SDM 3A, 20.1.4), so that what protected mode had loaded goes on to serve.
Segment realModeSegment(const Cpu& cpu, SegmentName name, std::uint16_t selector) {
  Segment loaded = segment(cpu, name);
  loaded.selector = selector;
  loaded.base = std::uint64_t{selector} << 4U;
  loaded.type = 3;
  loaded.s = loaded.present = true;
  loaded.unusable = false;
  return loaded;
}

// DS, ES, FS, GS.
bool findData(Cpu& cpu, std::uint16_t selector, Segment& data) {
  if (isNull(selector)) {
    data = {.selector = selector, .unusable = true};
    return true;
  }
  Descriptor descriptor;
  if (!readDescriptor(cpu, selector, descriptor)) return false;
  if (!descriptor.isReadable()) return refuse(cpu, selector);
  const bool isClosed = descriptor.dpl() < rplOf(selector) || descriptor.dpl() < cpu.system.cpl;
  if (isClosed && !descriptor.isConforming()) return refuse(cpu, selector);
  if (!descriptor.isPresent()) return raise(cpu, Exception::segmentNotPresent, errorCodeOf(selector));
  if (!markAccessed(cpu, selector, descriptor)) return false;
  data = segmentOf(selector, descriptor);
  return true;
}

// Gates and tasks (SDM 3A, table 3-2): call gates, the task gate, TSSs.
bool isTransferThroughSystem(const Cpu& cpu, const Descriptor& descriptor) {
  switch (descriptor.type()) {
    case 0x9:
    case 0xb:
    case 0xc:
      return true;
    case 0x1:
    case 0x3:
    case 0x4:
    case 0x5:
      return !isLongMode(cpu);
    default:
      return false;
  }
}

bool mayGo(const Cpu& cpu, Way way, std::uint16_t selector, const Descriptor& descriptor) {
  const std::uint8_t rpl = rplOf(selector), dpl = descriptor.dpl(), cpl = cpu.system.cpl;
  if (way == Way::back) return rpl >= cpl && (descriptor.isConforming() ? dpl <= rpl : dpl == rpl);
  return descriptor.isConforming() ? dpl <= cpl : rpl <= cpl && dpl == cpl;
}

}  // namespace

bool findStack(Cpu& cpu, std::uint16_t selector, std::uint8_t cpl, NullStack null, Segment& stack) {
  if (isNull(selector)) {
    if (null == NullStack::forbidden || cpl == 3 || rplOf(selector) != cpl)
      return raise(cpu, Exception::generalProtection);
    stack = {.selector = selector, .dpl = cpl, .unusable = true};
    return true;
  }
  Descriptor descriptor;
  if (!readDescriptor(cpu, selector, descriptor)) return false;
  if (!descriptor.isWritable() || descriptor.dpl() != cpl || rplOf(selector) != cpl) return refuse(cpu, selector);
  if (!descriptor.isPresent()) return raise(cpu, Exception::stackFault, errorCodeOf(selector));
  if (!markAccessed(cpu, selector, descriptor)) return false;
  stack = segmentOf(selector, descriptor);
  return true;
}

bool loadSegment(Cpu& cpu, SegmentName name, std::uint16_t selector) {
  Segment loaded;
  if (!isProtected(cpu)) {
    loaded = realModeSegment(cpu, name, selector);
  } else if (name == SegmentName::ss) {
    const auto null = cpu.system.codeSize == CodeSize::bits64 ? NullStack::allowed : NullStack::forbidden;
    if (!findStack(cpu, selector, cpu.system.cpl, null, loaded)) return false;
  } else if (!findData(cpu, selector, loaded)) {
    return false;
  }
  segment(cpu, name) = loaded;
  modeChanged(cpu);
  return true;
}

bool findCode(Cpu& cpu, const Operation& op, Way way, std::uint16_t selector, Segment& code) {
  if (!isProtected(cpu)) {
    code = realModeSegment(cpu, SegmentName::cs, selector);
    return true;
  }
  if (isNull(selector)) return raise(cpu, Exception::generalProtection);
  Descriptor descriptor;
  if (!readDescriptor(cpu, selector, descriptor)) return false;
  if (way == Way::onward && descriptor.isSystem() && isTransferThroughSystem(cpu, descriptor))
    return refuseUnmodelled(cpu, op);
  if (!descriptor.isCode() || !mayGo(cpu, way, selector, descriptor)) return refuse(cpu, selector);
  if (isLongMode(cpu) && descriptor.isLong() && descriptor.isBig()) return refuse(cpu, selector);
  if (!descriptor.isPresent()) return raise(cpu, Exception::segmentNotPresent, errorCodeOf(selector));
  if (!markAccessed(cpu, selector, descriptor)) return false;
  const std::uint8_t cpl = way == Way::back ? rplOf(selector) : cpu.system.cpl;
  code = segmentOf(static_cast<std::uint16_t>((selector & 0xfffcU) | cpl), descriptor);
  // L means nothing outside IA-32e mode, where modeChanged() would take it for 64-bit code.
  if (!isLongMode(cpu)) code.l = false;
  return true;
}

bool isReachable(Cpu& cpu, const Segment& code, std::uint64_t rip) {
  const bool reaches = isLongMode(cpu) && code.l ? isCanonical(rip) : rip <= code.limit;
  return reaches || raise(cpu, Exception::generalProtection);
}

void enterCode(Cpu& cpu, const Segment& code, std::uint64_t rip) {
  segment(cpu, SegmentName::cs) = code;
  cpu.rip = rip;
  modeChanged(cpu);
}

void dropClosedSegments(Cpu& cpu) {
  for (const SegmentName name : {SegmentName::ds, SegmentName::es, SegmentName::fs, SegmentName::gs}) {
    Segment& data = segment(cpu, name);
    const bool isConforming = (data.type & 0xcU) == 0xcU;
    if (data.unusable || isNull(data.selector) || data.dpl >= cpu.system.cpl || isConforming) continue;
    data = {.unusable = true};
    cpu.segmentBase[static_cast<std::size_t>(name)] = 0;
  }
}

}  // namespace qm::soft
