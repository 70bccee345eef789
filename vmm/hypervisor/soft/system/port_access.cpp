#include "vmm/hypervisor/soft/system/port_access.h"

#include "vmm/hypervisor/soft/chips/interrupt_fabric.h"
#include "vmm/hypervisor/soft/memory/access.h"
#include "vmm/hypervisor/soft/memory/device_memory.h"
#include "vmm/hypervisor/soft/system/descriptor.h"
#include "vmm/hypervisor/soft/system/interrupt_flag.h"
#include "vmm/hypervisor/soft/time/guest_clock.h"

namespace qm::soft {

namespace {

bool refuse(Cpu& cpu) {
  return raise(cpu, Exception::generalProtection);
}

// A bit a port, clear where it is allowed; two bytes are read always (SDM 1, 19.5.2).
bool isInPermissionMap(Cpu& cpu, std::uint16_t port, unsigned bytes) {
  constexpr std::uint32_t kMapBase = 102;  // in a TSS of 32 or 64 bits
  const Segment& task = cpu.system.tr;
  const bool hasMap = !task.unusable && (task.type & 0xdU) == 0x9 && kMapBase + 1 <= task.limit;
  if (!hasMap) return refuse(cpu);
  std::uint16_t map = 0, bits = 0;
  if (!readAs(cpu, Privilege::kernel, task.base + kMapBase, &map, sizeof map)) return false;
  const std::uint32_t place = std::uint32_t{map} + port / 8U;
  if (place + 1 > task.limit) return refuse(cpu);
  if (!readAs(cpu, Privilege::kernel, task.base + place, &bits, sizeof bits)) return false;
  const unsigned wanted = ((1U << bytes) - 1) << port % 8U;
  return (bits & wanted) == 0 || refuse(cpu);
}

bool askVmm(Cpu& cpu, DeviceAccess::Direction direction, std::uint16_t port, unsigned bytes, std::uint64_t& value) {
  return askDevice(cpu,
                   {.space = DeviceAccess::Space::port,
                    .direction = direction,
                    .address = port,
                    .bytes = static_cast<std::uint8_t>(bytes),
                    .value = value},
                   value);
}

// Reading may change the chip. So it is remembered as the VMM's answers are: an instruction by itself that comes upon a
// device later is begun again.
std::uint32_t readChipPort(Cpu& cpu, std::uint16_t port) {
  DeviceAccesses& devices = cpu.devices;
  if (devices.next < devices.done.size()) return static_cast<std::uint32_t>(devices.done[devices.next++].value);
  const std::uint32_t value = cpu.around.chips.readPort(port, readTsc(cpu));
  if (!cpu.stepping) return value;
  devices.done.push_back({.space = DeviceAccess::Space::port,
                          .direction = DeviceAccess::Direction::read,
                          .address = port,
                          .bytes = 1,
                          .value = value});
  ++devices.next;
  return value;
}

}  // namespace

bool mayUsePort(Cpu& cpu, std::uint16_t port, unsigned bytes) {
  if (!isProtected(cpu) || cpu.system.cpl <= ioplOf(cpu.rflags)) return true;
  return isInPermissionMap(cpu, port, bytes);
}

// The chips' ports are a byte wide: of a wider access nothing is seen, as with KVM's.
bool readPort(Cpu& cpu, std::uint16_t port, unsigned bytes, std::uint32_t& value) {
  InterruptFabric& chips = cpu.around.chips;
  if (chips.ownsPort(port)) {
    value = bytes == 1 ? readChipPort(cpu, port) : 0;
    return true;
  }
  std::uint64_t answer = 0;
  if (!askVmm(cpu, DeviceAccess::Direction::read, port, bytes, answer)) return false;
  value = static_cast<std::uint32_t>(answer);
  return true;
}

bool writePort(Cpu& cpu, std::uint16_t port, unsigned bytes, std::uint32_t value) {
  InterruptFabric& chips = cpu.around.chips;
  if (chips.ownsPort(port)) {
    if (bytes == 1) chips.writePort(port, static_cast<std::uint8_t>(value), readTsc(cpu));
    return true;
  }
  std::uint64_t written = value;
  return askVmm(cpu, DeviceAccess::Direction::write, port, bytes, written);
}

}  // namespace qm::soft
