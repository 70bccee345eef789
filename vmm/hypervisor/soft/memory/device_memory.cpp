#include "vmm/hypervisor/soft/memory/device_memory.h"

#include <bit>
#include <cstring>

#include "vmm/hypervisor/soft/chips/interrupt_fabric.h"
#include "vmm/hypervisor/soft/cpu/tlb.h"
#include "vmm/hypervisor/soft/time/guest_clock.h"

namespace qm::soft {

namespace {

constexpr std::uint64_t kIoApicPage = 0xfec0'0000;
constexpr std::uint64_t kApicEnabled = 1U << 11U, kX2Apic = 1U << 10U;  // of IA32_APIC_BASE (SDM 3A, 11.4.4)

enum class Owner : std::uint8_t { localApic, ioApic, vmm };

Owner ownerOf(const Cpu& cpu, std::uint64_t physical) {
  const std::uint64_t page = physical & kPageMask;
  if (page == kIoApicPage) return Owner::ioApic;
  const std::uint64_t base = cpu.around.chips.apicBase(cpu.around.index);
  const bool isMapped = (base & kApicEnabled) != 0 && (base & kX2Apic) == 0;
  return isMapped && page == (base & cpu.system.physicalMask & kPageMask) ? Owner::localApic : Owner::vmm;
}

// The chips' registers are 4 bytes wide; of a narrower access the register that holds it is read.
std::uint32_t readChip(Cpu& cpu, Owner owner, std::uint32_t offset) {
  InterruptFabric& chips = cpu.around.chips;
  if (owner == Owner::ioApic) return chips.readIo(offset);
  return chips.readLocal(cpu.around.index, offset, readTsc(cpu));
}

std::uint64_t readChipBytes(Cpu& cpu, Owner owner, std::uint64_t physical) {
  const auto offset = static_cast<std::uint32_t>(physical & ~kPageMask);
  return readChip(cpu, owner, offset & ~3U) >> (offset & 3U) * 8U;
}

void writeChip(Cpu& cpu, Owner owner, std::uint32_t offset, std::uint32_t value) {
  InterruptFabric& chips = cpu.around.chips;
  if (owner == Owner::ioApic) return chips.writeIo(offset, value);
  chips.writeLocal(cpu.around.index, offset, value, readTsc(cpu));
  timerChanged(cpu);
}

// The largest natural size that fits what is left.
unsigned pieceOf(std::uint64_t physical, unsigned left) {
  const unsigned aligned = physical % 8 == 0 ? 8U : 1U << static_cast<unsigned>(std::countr_zero(physical));
  return std::bit_floor(left < aligned ? left : aligned);
}

bool accessVmm(Cpu& cpu, DeviceAccess::Direction direction, std::uint64_t physical, unsigned bytes,
               std::uint64_t& value) {
  return askDevice(cpu,
                   {.space = DeviceAccess::Space::memory,
                    .direction = direction,
                    .address = physical,
                    .bytes = static_cast<std::uint8_t>(bytes),
                    .value = value},
                   value);
}

}  // namespace

// By instructions the local APIC must know which instruction it is, and so that one runs by itself.
bool answersAtOnce(const Cpu& cpu, std::uint64_t physical) {
  return ownerOf(cpu, physical) != Owner::vmm && cpu.around.clock.kind() == SoftClock::host;
}

bool askDevice(Cpu& cpu, DeviceAccess access, std::uint64_t& value) {
  DeviceAccesses& devices = cpu.devices;
  if (devices.next < devices.done.size()) {
    value = devices.done[devices.next++].value;
    return true;
  }
  if (!cpu.stepping) return askToBeAlone(cpu);
  devices.wanted = access;
  cpu.stop = Stop::device;
  return false;
}

bool readDevice(Cpu& cpu, std::uint64_t physical, void* into, unsigned bytes) {
  const Owner owner = ownerOf(cpu, physical);
  for (unsigned at = 0; at < bytes;) {
    const unsigned piece = pieceOf(physical + at, bytes - at);
    std::uint64_t value = 0;
    if (owner != Owner::vmm) {
      value = readChipBytes(cpu, owner, physical + at);
    } else if (!accessVmm(cpu, DeviceAccess::Direction::read, physical + at, piece, value)) {
      return false;
    }
    std::memcpy(static_cast<char*>(into) + at, &value, piece);
    at += piece;
  }
  return true;
}

bool writeDevice(Cpu& cpu, std::uint64_t physical, const void* from, unsigned bytes) {
  const Owner owner = ownerOf(cpu, physical);
  for (unsigned at = 0; at < bytes;) {
    const unsigned piece = pieceOf(physical + at, bytes - at);
    std::uint64_t value = 0;
    std::memcpy(&value, static_cast<const char*>(from) + at, piece);
    if (owner != Owner::vmm) {
      writeChip(cpu, owner, static_cast<std::uint32_t>((physical + at) & ~kPageMask),
                static_cast<std::uint32_t>(value));
    } else if (!accessVmm(cpu, DeviceAccess::Direction::write, physical + at, piece, value)) {
      return false;
    }
    at += piece;
  }
  return true;
}

}  // namespace qm::soft
