// The programs that are measured, and what they run.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace qm::bench {

struct Places {
  std::filesystem::path floor, vmm, daemon, spawner, qemu;
  std::filesystem::path kernel, initrd;
  std::filesystem::path folder;  // for sockets, snapshots, logs; in memory
};

inline constexpr std::uint32_t kGuestMemoryMib = 128;
inline constexpr const char* kBootArguments = "console=ttyS0 reboot=k panic=-1 quiet cgroup_disable=memory";

// The guest that is booted; one vCPU.
struct Recipe {
  std::filesystem::path kernel, initrd;
  std::filesystem::path disk;  // the root that the agent enters, read-only; empty: the initramfs stays the root
  std::uint32_t memoryMib = kGuestMemoryMib;
  std::string arguments = kBootArguments;

  std::string bootArguments() const { return disk.empty() ? arguments : arguments + " qm.root=/dev/vda"; }
};

}  // namespace qm::bench
