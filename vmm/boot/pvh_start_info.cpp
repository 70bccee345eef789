#include "vmm/boot/pvh_start_info.h"

#include <cstdint>

#include "vmm/boot/memory_map.h"

namespace qm::boot {

namespace {

struct StartInfo {
  std::uint32_t magic = 0x336e'c578;
  std::uint32_t version = 1;
  std::uint32_t flags = 0;
  std::uint32_t moduleCount = 0;
  std::uint64_t modules = 0;
  std::uint64_t commandLine = kCommandLine.value;
  std::uint64_t rsdp = 0;
  std::uint64_t memoryMap = 0;
  std::uint32_t memoryMapEntries = 0;
  std::uint32_t reserved = 0;
};
static_assert(sizeof(StartInfo) == 56);

struct Module {
  std::uint64_t start = 0, bytes = 0, commandLine = 0, reserved = 0;
};

struct MemoryMapEntry {
  std::uint64_t start = 0, bytes = 0;
  std::uint32_t type = 1;  // RAM, as in e820
  std::uint32_t reserved = 0;
};

constexpr GuestAddress kModule = kPvhStartInfo + sizeof(StartInfo);
constexpr GuestAddress kMemoryMap = kModule + sizeof(Module);

}  // namespace

Status writePvhStartInfo(GuestMemory& memory, const std::optional<InitrdPlace>& initrd) {
  StartInfo info{.memoryMap = kMemoryMap.value};
  if (initrd) {
    info.moduleCount = 1;
    info.modules = kModule.value;
    TRY(memory.writeObject(kModule, Module{.start = initrd->start.value, .bytes = initrd->bytes}));
  }
  for (const MemoryRange& range : usableRam(memory)) {
    const MemoryMapEntry entry{.start = range.start.value, .bytes = range.bytes};
    TRY(memory.writeObject(kMemoryMap + info.memoryMapEntries * sizeof entry, entry));
    ++info.memoryMapEntries;
  }
  return memory.writeObject(kPvhStartInfo, info);
}

}  // namespace qm::boot
