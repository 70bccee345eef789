// The programs that are measured, and what they run.
#pragma once

#include <cstdint>
#include <filesystem>

namespace qm::bench {

struct Places {
  std::filesystem::path floor, vmm, daemon, spawner, qemu;
  std::filesystem::path kernel, initrd;
  std::filesystem::path folder;  // for sockets, snapshots, logs; in memory
};

inline constexpr std::uint32_t kGuestMemoryMib = 128;
inline constexpr const char* kBootArguments = "console=ttyS0 reboot=k panic=-1 quiet";

}  // namespace qm::bench
