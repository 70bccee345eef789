#include "vmm/hypervisor/soft/memory/access.h"

#include <algorithm>
#include <cstring>

#include "vmm/hypervisor/soft/memory/code_watch.h"
#include "vmm/hypervisor/soft/memory/device_memory.h"
#include "vmm/hypervisor/soft/memory/page_walk.h"
#include "vmm/hypervisor/soft/memory/watched_access.h"

namespace qm::soft {

namespace {

// Where an access within one page goes.
struct Place {
  std::uint64_t physical = 0;
  PhysicalMemory::Slot* slot = nullptr;  // null: a device
  std::byte* host = nullptr;             // of the very byte
};

bool stopWith(Cpu& cpu, const Fault& fault) {
  cpu.stop = Stop::exception;
  cpu.fault = fault;
  return false;
}

bool refuseAddress(Cpu& cpu) {
  return stopWith(cpu, {.exception = Exception::generalProtection, .isAddress = true});
}

bool isWholeCanonical(std::uint64_t address, unsigned bytes) {
  return isCanonical(address) && isCanonical(address + bytes - 1);
}

// A write to a page that holds decoded instructions is done alone, so that no block goes on with what it was decoded
// to.
bool find(Cpu& cpu, std::uint64_t address, Use use, Privilege privilege, Place& place) {
  const auto translation = translate(cpu, address, use, privilege);
  if (!translation) return stopWith(cpu, translation.error());
  place.physical = translation->physical;
  place.slot = cpu.around.memory.find(place.physical);
  if (place.slot == nullptr) return cpu.stepping || answersAtOnce(cpu, place.physical) || askToBeAlone(cpu);
  std::byte* const page = place.slot->page(place.physical);
  place.host = page + (place.physical & ~kPageMask);
  const bool isWatched = use == Use::write && place.slot->isWatched(place.physical);
  if (isWatched && !cpu.stepping) return askToBeAlone(cpu);
  if (use == Use::write) place.slot->markDirty(place.physical);
  if (privilege == Privilege::watched || isWatched) return true;
  Tlb& tlb = cpu.tlbs[static_cast<std::size_t>(privilege)];
  const auto host = reinterpret_cast<std::uintptr_t>(page);
  const Tlb::Kind kind{.lifetime = translation->lifetime, .size = translation->size};
  if (use == Use::write) {
    tlb.fillWrite(address, host, kind);
  } else {
    tlb.fillRead(address, host, kind);
  }
  return true;
}

// Single accesses where the size has one: memcpy of a size that is not known may go byte by byte.
void copy(void* to, const void* from, unsigned bytes) {
  switch (bytes) {
    case 1:
      return static_cast<void>(std::memcpy(to, from, 1));
    case 2:
      return static_cast<void>(std::memcpy(to, from, 2));
    case 4:
      return static_cast<void>(std::memcpy(to, from, 4));
    case 8:
      return static_cast<void>(std::memcpy(to, from, 8));
    case 16:
      return static_cast<void>(std::memcpy(to, from, 16));
    default:
      std::memcpy(to, from, bytes);
  }
}

bool readPart(Cpu& cpu, const Place& place, void* into, unsigned bytes) {
  if (place.slot == nullptr) return readDevice(cpu, place.physical, into, bytes);
  copy(into, place.host, bytes);
  return true;
}

bool writePart(Cpu& cpu, const Place& place, const void* from, unsigned bytes) {
  if (place.slot == nullptr) return writeDevice(cpu, place.physical, from, bytes);
  copy(place.host, from, bytes);
  cpu.around.code.written(World::Caller::running, place.physical, bytes);
  return true;
}

// The bytes of [address, address + bytes) that lie in its first page.
unsigned inFirstPage(std::uint64_t address, unsigned bytes) {
  return static_cast<unsigned>(std::min<std::uint64_t>(bytes, kPageBytes - (address & ~kPageMask)));
}

bool read(Cpu& cpu, Privilege privilege, std::uint64_t address, void* into, unsigned bytes, Use use) {
  if (!isWholeCanonical(address, bytes)) return refuseAddress(cpu);
  const unsigned first = inFirstPage(address, bytes);
  Place here, there;
  if (!find(cpu, address, use, privilege, here)) return false;
  if (first < bytes && !find(cpu, address + first, use, privilege, there)) return false;
  if (!readPart(cpu, here, into, first)) return false;
  return first == bytes || readPart(cpu, there, static_cast<char*>(into) + first, bytes - first);
}

bool write(Cpu& cpu, Privilege privilege, std::uint64_t address, const void* from, unsigned bytes) {
  if (!isWholeCanonical(address, bytes)) return refuseAddress(cpu);
  const unsigned first = inFirstPage(address, bytes);
  Place here, there;
  if (!find(cpu, address, Use::write, privilege, here)) return false;
  if (first < bytes && !find(cpu, address + first, Use::write, privilege, there)) return false;
  if (!writePart(cpu, here, from, first)) return false;
  return first == bytes || writePart(cpu, there, static_cast<const char*>(from) + first, bytes - first);
}

}  // namespace

bool readLongWay(Cpu& cpu, std::uint64_t address, void* into, unsigned bytes, Intent intent) {
  const Use use = intent == Intent::read ? Use::read : Use::write;
  if (cpu.privilege == Privilege::watched && !isWatchedAccessAllowed(cpu, address, bytes, use)) return false;
  return read(cpu, cpu.privilege, address, into, bytes, use);
}

bool writeLongWay(Cpu& cpu, std::uint64_t address, const void* from, unsigned bytes) {
  if (cpu.privilege == Privilege::watched && !isWatchedAccessAllowed(cpu, address, bytes, Use::write)) return false;
  return write(cpu, cpu.privilege, address, from, bytes);
}

bool readAs(Cpu& cpu, Privilege privilege, std::uint64_t address, void* into, unsigned bytes) {
  const TlbEntry& entry = cpu.tlbs[static_cast<std::size_t>(privilege)].read[Tlb::slotOf(address)];
  if (((address + bytes - 1) & kPageMask) == entry.page) {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): an entry holds the distance between two kinds of addresses (tlb.h)
    std::memcpy(into, reinterpret_cast<const char*>(address + entry.addend), bytes);
    return true;
  }
  return read(cpu, privilege, address, into, bytes, Use::read);
}

bool writeAs(Cpu& cpu, Privilege privilege, std::uint64_t address, const void* from, unsigned bytes) {
  const TlbEntry& entry = cpu.tlbs[static_cast<std::size_t>(privilege)].write[Tlb::slotOf(address)];
  if (((address + bytes - 1) & kPageMask) == entry.page) {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): an entry holds the distance between two kinds of addresses (tlb.h)
    std::memcpy(reinterpret_cast<char*>(address + entry.addend), from, bytes);
    return true;
  }
  return write(cpu, privilege, address, from, bytes);
}

Writability probeWrite(Cpu& cpu, std::uint64_t address, unsigned bytes) {
  if (writableBytes(cpu, address, bytes) != nullptr) return Writability::plain;
  if (cpu.privilege == Privilege::watched && !isWatchedAccessAllowed(cpu, address, bytes, Use::write))
    return Writability::stopped;
  if (!isWholeCanonical(address, bytes)) {
    refuseAddress(cpu);
    return Writability::stopped;
  }
  Place place;
  if (!find(cpu, address, Use::write, cpu.privilege, place)) return Writability::stopped;
  const unsigned first = inFirstPage(address, bytes);
  if (first < bytes && !find(cpu, address + first, Use::write, cpu.privilege, place)) return Writability::stopped;
  return writableBytes(cpu, address, bytes) != nullptr ? Writability::plain : Writability::special;
}

}  // namespace qm::soft
