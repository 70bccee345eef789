// Makes a machine's virtio devices: from its configuration, or from what was saved of them and the host's side anew.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "vmm/loop/event_loop.h"
#include "vmm/machine/machine_config.h"
#include "vmm/machine/machine_state.h"
#include "vmm/machine/virtio_slot.h"
#include "vmm/result/result.h"

namespace qm {

// seed: of random numbers; none: they are the host's. In the order of their windows: disks (the root's first), network,
// vsock, entropy. Errors name the device.
// `taps`: of interfaces whose tap is open already.
Result<std::vector<PlacedDevice>> makeVirtioDevices(const MachineConfig& config, std::vector<OpenTap> taps,
                                                    EventLoop& loop, std::optional<std::uint64_t> seed);

// Takes what is open already from `means`. fixInput when the host's side of a saved device is not named.
Result<std::vector<PlacedDevice>> remakeVirtioDevices(const std::vector<VirtioDeviceState>& states,
                                                      const RestoreConfig& config, RestoreMeans& means, EventLoop& loop,
                                                      std::optional<std::uint64_t> seed);

}  // namespace qm
