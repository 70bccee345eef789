// Control messages as bytes and back. Pure; what is decoded was checked against every range of the schema, and a
// message in another than Cap'n Proto's canonical form is refused, so that the work it causes is bounded by its length.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "api/vmm/control/control_values.h"
#include "vmm/result/result.h"

namespace qm::vmm::control {

// The longest message, in bytes.
inline constexpr std::size_t kMaxBytes = std::size_t{64} * 1024;

std::vector<std::byte> encode(const Request& request);
// fixInput. `descriptors`: how many are beside the message; every place that it names is below that.
Result<Request> decodeRequest(std::span<const std::byte> bytes, std::size_t descriptors);

std::vector<std::byte> encode(const Reply& reply);
Result<Reply> decodeReply(std::span<const std::byte> bytes);

}  // namespace qm::vmm::control
