#include "vmm/boot/entry_state.h"

#include <array>
#include <cstdint>

#include "vmm/boot/memory_map.h"

namespace qm::boot {

namespace {

constexpr std::uint64_t kCr0Pe = 1, kCr0Et = 1U << 4U, kCr0Pg = 1U << 31U, kCr4Pae = 1U << 5U;
constexpr std::uint64_t kEferLme = 1U << 8U, kEferLma = 1U << 10U;
constexpr std::uint64_t kPresentWritable = 3, kLargePage = 1U << 7U;

// Selectors of the Linux boot protocol: __BOOT_CS 0x10, __BOOT_DS 0x18.
constexpr std::uint16_t kCodeSelector = 0x10, kDataSelector = 0x18, kTaskSelector = 0x20;

Segment flat(std::uint16_t selector, std::uint8_t type, bool is64) {
  return {.base = 0,
          .limit = 0xffff'ffff,
          .selector = selector,
          .type = type,
          .s = true,
          .present = true,
          .l = is64,
          .db = !is64,
          .g = true};
}

// The descriptor of a flat segment (SDM 3A, figure 3-8).
std::uint64_t descriptor(const Segment& segment) {
  const std::uint64_t flags =
      std::uint64_t{segment.g} << 3U | std::uint64_t{segment.db} << 2U | std::uint64_t{segment.l} << 1U;
  const std::uint64_t access = std::uint64_t{segment.present} << 7U | std::uint64_t{segment.s} << 4U | segment.type;
  return flags << 52U | std::uint64_t{0xf} << 48U | access << 40U | 0xffff;
}

Status setSegments(GuestMemory& memory, SystemRegisters& system, bool is64) {
  constexpr std::uint8_t kCode = 0xb, kData = 0x3, kBusyTask = 0xb;
  system.cs = flat(kCodeSelector, kCode, is64);
  const Segment data = flat(kDataSelector, kData, false);
  system.ds = system.es = system.fs = system.gs = system.ss = data;
  system.tr = {.base = 0, .limit = 0xffff, .selector = kTaskSelector, .type = kBusyTask, .present = true};
  system.ldt = {.unusable = true};
  const std::array<std::uint64_t, 5> gdt{0, 0, descriptor(system.cs), descriptor(data), 0x0000'8b00'0000'ffff};
  system.gdt = {.base = kGdt.value, .limit = sizeof gdt - 1};
  system.idt = {};
  return memory.writeObject(kGdt, gdt);
}

Status writeIdentityPages(GuestMemory& memory) {
  using Table = std::array<std::uint64_t, 512>;
  Table top{}, pointers{}, directory{};
  top[0] = (kPageTables.value + 0x1000) | kPresentWritable;
  pointers[0] = (kPageTables.value + 0x2000) | kPresentWritable;
  for (std::uint64_t i = 0; i < directory.size(); ++i) directory[i] = i << 21U | kLargePage | kPresentWritable;
  TRY(memory.writeObject(kPageTables, top));
  TRY(memory.writeObject(kPageTables + 0x1000, pointers));
  return memory.writeObject(kPageTables + 0x2000, directory);
}

}  // namespace

Result<EntryState> enterLongMode(GuestMemory& memory, const SystemRegisters& reset, GuestAddress entry) {
  EntryState state{.system = reset};
  TRY(setSegments(memory, state.system, true));
  TRY(writeIdentityPages(memory));
  state.system.cr3 = kPageTables.value;
  state.system.cr4 = kCr4Pae;
  state.system.cr0 = kCr0Pe | kCr0Et | kCr0Pg;
  state.system.efer = kEferLme | kEferLma;
  state.registers.rip = entry.value;
  state.registers.rsp = state.registers.rbp = kBootStack.value;
  state.registers.rsi = kZeroPage.value;
  return state;
}

Result<EntryState> enterProtectedMode(GuestMemory& memory, const SystemRegisters& reset, GuestAddress entry) {
  EntryState state{.system = reset};
  TRY(setSegments(memory, state.system, false));
  state.system.cr0 = kCr0Pe | kCr0Et;
  state.registers.rip = entry.value;
  state.registers.rbx = kPvhStartInfo.value;
  return state;
}

}  // namespace qm::boot
