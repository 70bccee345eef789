#include "vmm/hypervisor/soft/memory/page_walk.h"

#include <optional>

namespace qm::soft {

namespace {

// A paging-structure entry (SDM 3A, table 4-15 and following).
constexpr std::uint64_t kPresent = 1U << 0U, kWritable = 1U << 1U, kUser = 1U << 2U, kAccessed = 1U << 5U,
                        kDirty = 1U << 6U, kLargePage = 1U << 7U, kGlobal = 1U << 8U,
                        kNoExecute = std::uint64_t{1} << 63U;
// Of a #PF's error code (SDM 3A, figure 4-12).
constexpr std::uint32_t kWasPresent = 1U << 0U, kWasWrite = 1U << 1U, kWasUser = 1U << 2U, kWasReserved = 1U << 3U,
                        kWasFetch = 1U << 4U;

struct Rights {
  bool user = true, write = true, execute = true;
};

struct Leaf {
  std::uint64_t* entry;  // in host memory
  std::uint64_t entryPhysical;
  std::uint64_t value;
  PageSize size;
  Rights rights;
};

Fault pageFault(const Cpu& cpu, std::uint64_t address, Use use, Privilege privilege, std::uint32_t cause) {
  std::uint32_t code = cause;
  if (use == Use::write) code |= kWasWrite;
  if (privilege == Privilege::user || (privilege == Privilege::watched && isUser(cpu))) code |= kWasUser;
  const bool tellsFetches = (cpu.system.efer & efer::kNxe) != 0 || (cpu.system.cr4 & cr4::kSmep) != 0;
  if (use == Use::fetch && tellsFetches) code |= kWasFetch;
  return {.exception = Exception::pageFault, .errorCode = code, .address = address};
}

// Sets flags in an entry that still is what was read; else the walk begins again.
bool setFlags(PhysicalMemory& memory, std::uint64_t* entry, std::uint64_t physical, std::uint64_t& value,
              std::uint64_t flags) {
  if ((value & flags) == flags) return true;
  std::uint64_t expected = value;
  if (!__atomic_compare_exchange_n(entry, &expected, value | flags, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
    return false;
  value |= flags;
  memory.find(physical)->markDirty(physical);
  return true;
}

std::uint64_t reservedBits(const Cpu& cpu, std::uint64_t entry, unsigned level) {
  std::uint64_t reserved = ~cpu.system.physicalMask & 0x000f'ffff'ffff'f000;
  if ((cpu.system.efer & efer::kNxe) == 0) reserved |= kNoExecute;
  if (level == 3) reserved |= kLargePage;
  if (level == 2 && (entry & kLargePage) != 0) reserved |= 0x3fff'e000;
  if (level == 1 && (entry & kLargePage) != 0) reserved |= 0x1f'e000;
  return reserved;
}

enum class Walk : std::uint8_t { found, faulted, changed };

// Down to the entry that maps the page, with the accessed flags of those above it set.
Walk walkDown(Cpu& cpu, std::uint64_t address, Leaf& leaf, std::uint32_t& cause) {
  PhysicalMemory& memory = cpu.around.memory;
  std::uint64_t table = cpu.system.cr3 & cpu.system.physicalMask & kPageMask;
  Rights rights;
  for (unsigned level = 3;; --level) {
    const std::uint64_t physical = table + (address >> (12 + 9 * level) & 0x1ffU) * 8;
    const PhysicalMemory::Slot* slot = memory.find(physical);
    cause = 0;
    if (slot == nullptr) return Walk::faulted;  // tables that are not in memory map nothing
    auto* entry = reinterpret_cast<std::uint64_t*>(slot->page(physical) + (physical & ~kPageMask));
    std::uint64_t value = __atomic_load_n(entry, __ATOMIC_ACQUIRE);
    if ((value & kPresent) == 0) return Walk::faulted;
    cause = kWasPresent | kWasReserved;
    if ((value & reservedBits(cpu, value, level)) != 0) return Walk::faulted;
    rights.user &= (value & kUser) != 0;
    rights.write &= (value & kWritable) != 0;
    rights.execute &= (value & kNoExecute) == 0;
    if (level == 0 || (value & kLargePage) != 0) {
      leaf = {.entry = entry,
              .entryPhysical = physical,
              .value = value,
              .size = static_cast<PageSize>(level),
              .rights = rights};
      return Walk::found;
    }
    if (!setFlags(memory, entry, physical, value, kAccessed)) return Walk::changed;
    table = value & cpu.system.physicalMask & kPageMask;
  }
}

// SDM 3A, 4.6.1.
bool isAllowed(const Cpu& cpu, const Rights& rights, Use use, Privilege privilege) {
  const bool asUser = privilege == Privilege::user || (privilege == Privilege::watched && isUser(cpu));
  if (use == Use::fetch && !rights.execute) return false;
  if (asUser) return rights.user && (use != Use::write || rights.write);
  if (rights.user) {
    if (use == Use::fetch) return (cpu.system.cr4 & cr4::kSmep) == 0;
    const bool open = privilege == Privilege::kernelOpen || (cpu.system.cr4 & cr4::kSmap) == 0 ||
                      (privilege == Privilege::watched && (cpu.rflags & rflags::kAc) != 0);
    if (!open) return false;
  }
  return use != Use::write || rights.write || (cpu.system.cr0 & cr0::kWp) == 0;
}

}  // namespace

std::expected<Translation, Fault> translate(Cpu& cpu, std::uint64_t address, Use use, Privilege privilege) {
  if ((cpu.system.cr0 & cr0::kPg) == 0) return Translation{.physical = address & 0xffff'ffff, .isWritable = true};
  for (;;) {
    Leaf leaf{};
    std::uint32_t cause = 0;
    const Walk walk = walkDown(cpu, address, leaf, cause);
    if (walk == Walk::changed) continue;
    if (walk == Walk::faulted) return std::unexpected(pageFault(cpu, address, use, privilege, cause));
    if (!isAllowed(cpu, leaf.rights, use, privilege))
      return std::unexpected(pageFault(cpu, address, use, privilege, kWasPresent));
    const std::uint64_t flags = use == Use::write ? kAccessed | kDirty : kAccessed;
    if (!setFlags(cpu.around.memory, leaf.entry, leaf.entryPhysical, leaf.value, flags)) continue;
    const std::uint64_t within = (std::uint64_t{1} << shiftOf(leaf.size)) - 1;
    const std::uint64_t frame = leaf.value & cpu.system.physicalMask & kPageMask & ~within;
    const bool isGlobal = (cpu.system.cr4 & cr4::kPge) != 0 && (leaf.value & kGlobal) != 0;
    return Translation{.physical = frame | (address & within),
                       .isWritable = isAllowed(cpu, leaf.rights, Use::write, privilege) && (leaf.value & kDirty) != 0,
                       .lifetime = isGlobal ? Lifetime::global : Lifetime::addressSpace,
                       .size = leaf.size};
  }
}

}  // namespace qm::soft
