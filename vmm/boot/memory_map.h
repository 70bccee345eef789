// Where things lie in guest-physical memory at boot: low structures as Firecracker places them, which kernels are known
// to accept. RAM itself is vmm/memory/layout.h.
#pragma once

#include <cstdint>

#include "vmm/memory/guest_address.h"

namespace qm::boot {

inline constexpr GuestAddress kGdt{0x500};
inline constexpr GuestAddress kPvhStartInfo{0x6000};
inline constexpr GuestAddress kZeroPage{0x7000};
inline constexpr GuestAddress kBootStack{0x8ff0};
inline constexpr GuestAddress kPageTables{0x9000};  // PML4, PDPT, PD: three pages
inline constexpr GuestAddress kSetupData{0xc000};
inline constexpr GuestAddress kCommandLine{0x20000};
inline constexpr std::uint64_t kCommandLineBytes = 2048;  // with its NUL; what x86 Linux takes
// The last KiB of base memory, where MP tables are looked for (MP Specification 1.4, 4). Not RAM in the e820 map.
inline constexpr GuestAddress kMpTable{0x9fc00};
inline constexpr GuestAddress kBaseMemoryEnd{0xa0000};
inline constexpr GuestAddress kHighMemory{0x100000};  // kernels and initrds lie from here up

inline constexpr GuestAddress kIoApic{0xfec0'0000};
inline constexpr GuestAddress kLocalApic{0xfee0'0000};

}  // namespace qm::boot
