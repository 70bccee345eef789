// What a machine is made of: a value, as the API or a configuration file gives it.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "vmm/boot/boot.h"
#include "vmm/hypervisor/cpu_template/cpu_template.h"
#include "vmm/os/file_descriptor.h"

namespace qm {

// The guest's vsock port on which the agent listens; its connection outlives a restore.
inline constexpr std::uint32_t kAgentPort = 5200;

struct BlockConfig {
  std::string id;
  std::filesystem::path path;  // a raw image
  bool readOnly = false;
  bool isRoot = false;  // stands first, so it is /dev/vda
  bool operator==(const BlockConfig&) const = default;
};

struct NetConfig {
  std::string id;
  std::string tap;                                 // of the host
  std::optional<std::array<std::uint8_t, 6>> mac;  // none: one is made
  bool operator==(const NetConfig&) const = default;
};

struct VsockConfig {
  std::uint64_t guestCid = 3;
  std::filesystem::path socketPath;  // the host side's Unix socket
  bool operator==(const VsockConfig&) const = default;
};

struct MachineConfig {
  std::uint32_t vcpus = 1;                    // 1 to 8
  std::uint64_t memoryBytes = 128ULL << 20U;  // a multiple of 4 KiB
  std::string cpuTemplate{kDefaultCpuTemplate};
  std::filesystem::path kernel;
  std::filesystem::path initrd;  // empty: none
  std::string bootArguments;     // the machine adds its devices
  boot::Protocol protocol = boot::Protocol::automatic;
  std::vector<BlockConfig> blocks;
  std::vector<NetConfig> nets;
  std::optional<VsockConfig> vsock;
  std::uint32_t entropyDevices = 0;
  bool operator==(const MachineConfig&) const = default;
};

// A disk's image that is open already: by whoever started this process, which then needs no path to it.
struct OpenDisk {
  std::string id;
  FileDescriptor image;
};

// The same of a network interface's tap.
struct OpenTap {
  std::string id;
  FileDescriptor tap;
};

enum class Observing : std::uint8_t { no, yes };

// What a restored machine is given besides, by whoever prepared its snapshot.
struct RestoreMeans {
  std::vector<OpenDisk> disks;
  std::vector<OpenTap> taps;
  FileDescriptor preparedCode;  // closed: none
  Observing observing = Observing::no;
};

// What of a saved machine is found anew when it is restored: the host's side of its devices.
struct RestoreConfig {
  std::vector<BlockConfig> blocks;        // by id, one for each saved disk that does not come open
  std::vector<NetConfig> nets;            // by id
  std::filesystem::path vsockSocketPath;  // if there is a vsock
  bool operator==(const RestoreConfig&) const = default;
};

}  // namespace qm
