// Messages of a VMM's control channel, both ways. The first byte is how many descriptors came along. What is decoded
// must be the same after being encoded and decoded again.
#include <cstdint>
#include <span>

#include "api/vmm/control/codec.h"
#include "vmm/result/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace control = qm::vmm::control;
  if (size == 0) return 0;
  const std::size_t descriptors = data[0];
  const auto bytes = std::as_bytes(std::span(data, size)).subspan(1);
  const auto request = control::decodeRequest(bytes, descriptors);
  if (request.has_value()) CHECK(control::decodeRequest(control::encode(*request), descriptors).value() == *request);
  const auto reply = control::decodeReply(bytes);
  if (reply.has_value()) CHECK(control::decodeReply(control::encode(*reply)).value() == *reply);
  return 0;
}
