// From a kernel's file to a guest that can take its first step: memory filled, the boot processor's registers answered.
// No hypervisor is called here.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "vmm/boot/entry_state.h"
#include "vmm/memory/guest_memory.h"
#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm::boot {

enum class Protocol : std::uint8_t {
  automatic,  // PVH where the kernel has the note, else linux64
  linux64,    // the 64-bit entry of the Linux boot protocol
  pvh,        // PVH's 32-bit entry
};

struct BootSource {
  const FileDescriptor& kernel;
  const FileDescriptor* initrd = nullptr;  // none
  std::string commandLine;                 // whole, as commandLine() made it
  std::uint32_t vcpus = 1;                 // 1 to 8
  std::set<std::uint32_t> levelPins;       // IOAPIC pins of level-triggered devices
  Protocol protocol = Protocol::automatic;
};

// The least RAM with which a kernel can be loaded at all.
inline constexpr std::uint64_t kLeastMemoryBytes = 2ULL << 20U;

// `reset` is the boot processor's state after reset. Errors are fixInput, each a sentence about the file or the memory.
Result<EntryState> loadGuest(GuestMemory& memory, const BootSource& source, const SystemRegisters& reset);

}  // namespace qm::boot
