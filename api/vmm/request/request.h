// What a VMM is asked, as values: Firecracker's REST interface as far as this VMM offers it, and what is ours under
// /qm. A drive, a network interface and a vsock are the machine's own configuration types.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "vmm/machine/machine_config.h"

namespace qm::vmm {

struct DescribeInstance {  // GET /
  bool operator==(const DescribeInstance&) const = default;
};
struct DescribeVersion {  // GET /version
  bool operator==(const DescribeVersion&) const = default;
};
struct DescribeShape {  // GET /machine-config
  bool operator==(const DescribeShape&) const = default;
};
struct DescribeTimes {  // GET /qm/times: ours
  bool operator==(const DescribeTimes&) const = default;
};
struct DescribeCounters {  // GET /qm/counters: ours
  bool operator==(const DescribeCounters&) const = default;
};

struct MachineShape {  // PUT /machine-config
  std::uint32_t vcpus = 1;
  std::uint64_t memoryMib = 128;
  std::string cpuTemplate{kDefaultCpuTemplate};
  bool operator==(const MachineShape&) const = default;
};

struct BootFiles {  // PUT /boot-source
  std::filesystem::path kernel;
  std::filesystem::path initrd;              // empty: none
  std::optional<std::string> bootArguments;  // none: Firecracker's default ones
  bool operator==(const BootFiles&) const = default;
};

struct AddEntropy {  // PUT /entropy
  bool operator==(const AddEntropy&) const = default;
};

struct StartInstance {  // PUT /actions
  bool operator==(const StartInstance&) const = default;
};
struct PressCtrlAltDel {  // PUT /actions
  bool operator==(const PressCtrlAltDel&) const = default;
};

struct Pause {  // PATCH /vm
  bool operator==(const Pause&) const = default;
};
struct Resume {  // PATCH /vm
  bool operator==(const Resume&) const = default;
};

struct CreateSnapshot {  // PUT /snapshot/create
  std::filesystem::path state;
  std::filesystem::path memory;
  bool operator==(const CreateSnapshot&) const = default;
};

struct LoadSnapshot {  // PUT /snapshot/load
  std::filesystem::path state;
  std::filesystem::path memory;
  bool resume = false;
  RestoreConfig devices;  // from network_overrides, vsock_override and our drive_overrides
  bool operator==(const LoadSnapshot&) const = default;
};

using Request = std::variant<DescribeInstance, DescribeVersion, DescribeShape, DescribeTimes, DescribeCounters,
                             MachineShape, BootFiles, BlockConfig, NetConfig, VsockConfig, AddEntropy, StartInstance,
                             PressCtrlAltDel, Pause, Resume, CreateSnapshot, LoadSnapshot>;

}  // namespace qm::vmm
