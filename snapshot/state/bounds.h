// How much of everything a state file may hold: the ranges of snapshot/schema, which a reader checks before it
// allocates.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "vmm/result/result.h"

namespace qm::snapshot {

inline constexpr std::uint64_t kMaxMemoryBytes = std::uint64_t{1} << 40;
inline constexpr std::size_t kMaxCpus = 8;
inline constexpr std::size_t kMaxCpuidEntries = 512;
inline constexpr std::size_t kMaxMsrs = 1024;
inline constexpr std::size_t kMinXsaveBytes = 512 + 64;  // SDM 1, 13.4: legacy region and header
inline constexpr std::size_t kMaxXsaveBytes = std::size_t{64} << 10;
inline constexpr std::size_t kMaxSerialReceived = 64;
inline constexpr std::size_t kMaxI8042Output = 16;
inline constexpr std::size_t kMaxVirtioDevices = 1024;
inline constexpr std::size_t kMaxQueues = 16;
inline constexpr std::size_t kMaxBlockIdBytes = 20;  // virtio 1.2, 5.2.6: VIRTIO_BLK_T_GET_ID
inline constexpr std::size_t kMaxVsockKept = 1;
inline constexpr std::size_t kMaxVsockResets = 65536;
inline constexpr std::size_t kMaxNameBytes = 255;
inline constexpr std::size_t kMaxTemplateNameBytes = 64;

// What a state must not hold, told as fixInput with what to do about it. `what` continues "the snapshot's state has …".
Error stateRefused(std::string_view what);

// Whether `count` lies in [least, most]; else stateRefused. `what` is a plural: "vCPUs".
Status checkCount(std::string_view what, std::size_t count, std::size_t least, std::size_t most);

}  // namespace qm::snapshot
