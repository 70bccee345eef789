// A kernel in guest memory: where it lies, and by which protocols it can be entered.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "vmm/memory/guest_address.h"

namespace qm::boot {

struct KernelImage {
  GuestAddress end;                       // first address beyond what it needs, page-aligned
  GuestAddress entry64;                   // 64-bit entry of the Linux boot protocol
  std::optional<GuestAddress> pvhEntry;   // 32-bit entry of PVH, if the image has the note
  std::vector<std::uint8_t> setupHeader;  // bzImage: its setup header, from byte 0x1f1 of the file; else empty
  bool operator==(const KernelImage&) const = default;
};

}  // namespace qm::boot
