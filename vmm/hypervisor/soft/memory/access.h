// Data in guest memory, by virtual address. The way through the table of recent walks is inlined into operations; all
// that it does not know (first touches, page crossings, devices, watched pages) goes the long way, in access.cpp.
//
// Every function answers false when the instruction cannot be done: cpu.stop says why (a fault, a device's answer, a
// wish to be run alone), and the operation returns without having changed anything.
#pragma once

#include <cstdint>
#include <type_traits>

#include "vmm/hypervisor/soft/cpu/cpu.h"

namespace qm::soft {

// What a read is for: an instruction that will write to the same place faults as a write does.
enum class Intent : std::uint8_t { read, readForWrite };

// Up to 16 bytes; naturally aligned ones of 1 to 8 bytes are single accesses, as guests rely on (SDM 3A, 8.1.1).
bool readLongWay(Cpu& cpu, std::uint64_t address, void* into, unsigned bytes, Intent intent);
bool writeLongWay(Cpu& cpu, std::uint64_t address, const void* from, unsigned bytes);

// The same with the rights of `privilege` whatever the current one is, up to a page: descriptor tables, the frames of
// interrupts and the like.
bool readAs(Cpu& cpu, Privilege privilege, std::uint64_t address, void* into, unsigned bytes);
bool writeAs(Cpu& cpu, Privilege privilege, std::uint64_t address, const void* from, unsigned bytes);

// The host address of `bytes` bytes within one page that may be read and written, for read-modify-write operations;
// null when they have to go another way (then readLongWay and writeLongWay, in that order, are right, but for
// atomicity).
inline char* writableBytes(Cpu& cpu, std::uint64_t address, unsigned bytes) {
  const TlbEntry& entry = cpu.tlb->write[Tlb::slotOf(address)];
  if (((address + bytes - 1) & kPageMask) != entry.page) [[unlikely]]
    return nullptr;
  // NOLINTNEXTLINE(performance-no-int-to-ptr): an entry holds the distance between two kinds of addresses (tlb.h)
  return reinterpret_cast<char*>(address + entry.addend);
}
inline const char* readableBytes(Cpu& cpu, std::uint64_t address, unsigned bytes) {
  const TlbEntry& entry = cpu.tlb->read[Tlb::slotOf(address)];
  if (((address + bytes - 1) & kPageMask) != entry.page) [[unlikely]]
    return nullptr;
  // NOLINTNEXTLINE(performance-no-int-to-ptr): an entry holds the distance between two kinds of addresses (tlb.h)
  return reinterpret_cast<const char*>(address + entry.addend);
}

template <class T>
inline bool load(Cpu& cpu, std::uint64_t address, T& value) {
  if (const char* at = readableBytes(cpu, address, sizeof(T))) [[likely]] {
    __builtin_memcpy(&value, at, sizeof(T));
    return true;
  }
  return readLongWay(cpu, address, &value, sizeof(T), Intent::read);
}

template <class T>
inline bool store(Cpu& cpu, std::uint64_t address, T value) {
  if (char* at = writableBytes(cpu, address, sizeof(T))) [[likely]] {
    __builtin_memcpy(at, &value, sizeof(T));
    return true;
  }
  return writeLongWay(cpu, address, &value, sizeof(T));
}

// For a read-modify-write: reads, and makes sure that store() at the same place will not fault.
template <class T>
inline bool loadForWrite(Cpu& cpu, std::uint64_t address, T& value) {
  if (const char* at = writableBytes(cpu, address, sizeof(T))) [[likely]] {
    __builtin_memcpy(&value, at, sizeof(T));
    return true;
  }
  return readLongWay(cpu, address, &value, sizeof(T), Intent::readForWrite);
}

// Whether a place can be written: by the table from here on (plain), only by the long way (special: a device, a watched
// page, a page crossing), or not at all (stopped: a fault).
enum class Writability : std::uint8_t { plain, special, stopped };
Writability probeWrite(Cpu& cpu, std::uint64_t address, unsigned bytes);

}  // namespace qm::soft
