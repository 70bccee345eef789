// Any bytes as a kernel's file: it is refused with a sentence for who gave it, or leaves a guest whose first
// instruction lies in its memory.
#pragma once

#include "vmm/boot/boot.h"
#include "vmm/os/mapping.h"
#include "vmm/result/check.h"

namespace qm::fuzz {

inline void bootKernel(std::span<const std::byte> kernel, boot::Protocol protocol) {
  constexpr std::uint64_t kMemoryBytes = 3 << 20;  // little, because each segment may fill it
  GuestMemory memory = GuestMemory::anonymous(kMemoryBytes).value();
  const FileDescriptor file = createMemfd("kernel", 0).value();
  CHECK(writeAt(file, 0, kernel).has_value());
  const auto entry = boot::loadGuest(
      memory, {.kernel = file, .initrd = &file, .commandLine = "quiet", .protocol = protocol}, SystemRegisters{});
  if (entry.has_value()) {
    CHECK(memory.hostRange(GuestAddress{entry->registers.rip}, 1).has_value());
  } else {
    CHECK(entry.error().remedy() == Remedy::fixInput && !entry.error().text().empty());
  }
}

}  // namespace qm::fuzz
