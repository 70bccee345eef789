// A whole machine at rest, bar the contents of its RAM: a value. The vmm does not know how it is stored.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "vmm/devices/i8042/i8042_state.h"
#include "vmm/devices/serial/serial_state.h"
#include "vmm/devices/virtio/state.h"
#include "vmm/hypervisor/state.h"
#include "vmm/memory/guest_address.h"

namespace qm {

// One virtio device and where it stands.
struct VirtioDeviceState {
  std::string id;  // the API's: drive_id, iface_id, "vsock", "entropy"
  GuestAddress base;
  std::uint32_t gsi = 0;
  virtio::TransportState transport;
  virtio::DeviceState device;
  bool operator==(const VirtioDeviceState&) const = default;
};

struct MachineState {
  std::uint64_t memoryBytes = 0;  // a multiple of 4 KiB
  std::string cpuTemplate;        // a name of vmm/hypervisor/cpu_template
  std::string hypervisor;         // the backend that saved it: for people, and for what the template does not cover
  std::vector<CpuState> cpus;     // 1 to 8, by index
  VmState vm;
  SerialState serial;
  I8042State i8042;
  std::vector<VirtioDeviceState> virtioDevices;  // ascending by base
  bool operator==(const MachineState&) const = default;
};

}  // namespace qm
