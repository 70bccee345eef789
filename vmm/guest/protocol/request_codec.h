// Requests to the agent as bytes and back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "vmm/guest/protocol/agent_values.h"
#include "vmm/result/result.h"

namespace qm::agent {

// Segment table and message. fixInput: it is larger than messages may be.
Result<std::vector<std::byte>> encodeRequest(const Request& request);

// From one whole frame (FrameReader). An error: no message can be read there. What can be read but not be carried out
// comes as a Refusal, with the id to which it belongs.
Result<Request> decodeRequest(std::span<const std::uint64_t> frame);

}  // namespace qm::agent
