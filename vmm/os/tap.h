// A tap interface of the host: one read or write of its descriptor is one Ethernet frame, with a virtio_net_hdr of
// kTapHeaderBytes in front.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <utility>

#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm {

inline constexpr std::size_t kTapHeaderBytes = 12;

// The tap of that name in this process's network namespace; made, for as long as it is open, when there is none
// (needs CAP_NET_ADMIN). Non-blocking, close-on-exec; the host's kernel gives finished frames: checksums filled in, no
// segmentation left to do. fixInput when the name is none that an interface can have, or the interface is no tap or
// another's; also when this process may not have it.
Result<FileDescriptor> openTap(const std::string& name);

// A wire with two ends that keep frames apart, for where there is no tap: each end takes a tap's place. An end whose
// other end is closed reads as 0 bytes.
Result<std::pair<FileDescriptor, FileDescriptor>> frameSocketPair();

// The next frame, cut to `into`; answers its bytes. retry: none has arrived.
Result<std::size_t> readFrame(const FileDescriptor& tap, std::span<std::byte> into);
// Sends one frame whole or not at all. retry: there is no room.
Status writeFrame(const FileDescriptor& tap, std::span<const std::byte> frame);

}  // namespace qm
