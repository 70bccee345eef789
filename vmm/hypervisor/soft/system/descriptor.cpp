#include "vmm/hypervisor/soft/system/descriptor.h"

#include "vmm/hypervisor/soft/memory/access.h"

namespace qm::soft {

namespace {

struct Table {
  std::uint64_t base;
  std::uint32_t limit;
  bool exists;
};

Table tableOf(const Cpu& cpu, std::uint16_t selector) {
  const SystemState& system = cpu.system;
  const bool isLocal = (selector & 4U) != 0;
  if (isLocal) return {.base = system.ldt.base, .limit = system.ldt.limit, .exists = !system.ldt.unusable};
  return {.base = system.gdt.base, .limit = system.gdt.limit, .exists = true};
}

// Linear addresses are 32 bits wide outside IA-32e mode (SDM 3A, 3.3).
std::uint64_t addressIn(const Cpu& cpu, std::uint16_t selector, unsigned byte) {
  const std::uint64_t address = tableOf(cpu, selector).base + (selector & 0xfff8U) + byte;
  return isLongMode(cpu) ? address : address & 0xffff'ffff;
}

}  // namespace

bool isWithinTable(const Cpu& cpu, std::uint16_t selector, unsigned bytes) {
  const Table table = tableOf(cpu, selector);
  return table.exists && (selector & 0xfff8U) + bytes - 1 <= table.limit;
}

bool readDescriptor(Cpu& cpu, std::uint16_t selector, Descriptor& descriptor) {
  if (!isWithinTable(cpu, selector, sizeof descriptor.raw))
    return raise(cpu, Exception::generalProtection, errorCodeOf(selector));
  return readAs(cpu, Privilege::kernel, addressIn(cpu, selector, 0), &descriptor.raw, sizeof descriptor.raw);
}

bool readUpperHalf(Cpu& cpu, std::uint16_t selector, std::uint64_t& upper) {
  if (!isWithinTable(cpu, selector, 16)) return raise(cpu, Exception::generalProtection, errorCodeOf(selector));
  return readAs(cpu, Privilege::kernel, addressIn(cpu, selector, 8), &upper, sizeof upper);
}

bool writeType(Cpu& cpu, std::uint16_t selector, Descriptor& descriptor, std::uint8_t type) {
  constexpr unsigned kTypeByte = 5;
  const auto byte = static_cast<std::uint8_t>((descriptor.raw >> 40U & 0xf0U) | type);
  if (!writeAs(cpu, Privilege::kernel, addressIn(cpu, selector, kTypeByte), &byte, sizeof byte)) return false;
  descriptor.raw = (descriptor.raw & ~(std::uint64_t{0xf} << 40U)) | std::uint64_t{type} << 40U;
  return true;
}

bool markAccessed(Cpu& cpu, std::uint16_t selector, Descriptor& descriptor) {
  if (descriptor.isAccessed()) return true;
  return writeType(cpu, selector, descriptor, static_cast<std::uint8_t>(descriptor.type() | 1U));
}

Segment segmentOf(std::uint16_t selector, const Descriptor& descriptor) {
  const std::uint64_t raw = descriptor.raw;
  return {.base = descriptor.base(),
          .limit = descriptor.limit(),
          .selector = selector,
          .type = descriptor.type(),
          .dpl = descriptor.dpl(),
          .s = !descriptor.isSystem(),
          .present = descriptor.isPresent(),
          .avl = (raw >> 52U & 1U) != 0,
          .l = descriptor.isLong(),
          .db = descriptor.isBig(),
          .g = (raw >> 55U & 1U) != 0};
}

}  // namespace qm::soft
