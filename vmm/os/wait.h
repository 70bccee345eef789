// Waiting for one descriptor, with a deadline, by threads that have no event loop.
#pragma once

#include <chrono>
#include <cstdint>

#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm {

// Until a read (a write) would not block: data, room, the stream's end or an error of it. retry: the deadline is past,
// also when the descriptor is ready, so that a peer that always has more to say cannot hold its reader.
Status waitReadable(const FileDescriptor& file, std::chrono::steady_clock::time_point deadline);
Status waitWritable(const FileDescriptor& file, std::chrono::steady_clock::time_point deadline);

// Without a deadline, until one of the two has something to read; which: the first goes before the second.
enum class WhichFirst : std::uint8_t { first, second };
WhichFirst waitForEither(const FileDescriptor& first, const FileDescriptor& second);

}  // namespace qm
