// The agent's replies as bytes and back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "vmm/guest/protocol/agent_values.h"
#include "vmm/result/result.h"

namespace qm::agent {

// Segment table and message. fixInput: it is larger than messages may be.
Result<std::vector<std::byte>> encodeReply(const Reply& reply);

// From one whole frame (FrameReader), whoever wrote it. giveUp: there is no reply of this protocol, or one of its
// values is out of range.
Result<Reply> decodeReply(std::span<const std::uint64_t> frame);

}  // namespace qm::agent
