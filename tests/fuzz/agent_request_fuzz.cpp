// Bytes as a host might send them to the agent: they are cut into messages and decoded. What decodes must encode to
// something that decodes to the same.
#include <algorithm>

#include "tests/fuzz/agent_stream.h"
#include "vmm/guest/protocol/frame_reader.h"
#include "vmm/guest/protocol/request_codec.h"
#include "vmm/result/check.h"

namespace {

using namespace qm::agent;

void decodeOne(std::span<const std::uint64_t> frame) {
  const auto request = decodeRequest(frame);
  if (!request.has_value() || std::holds_alternative<Refusal>(request->body)) return;
  const auto bytes = encodeRequest(*request);
  // Overlapping pointers may make an honest spelling longer than messages may be.
  if (!bytes.has_value()) return;
  CHECK(decodeRequest(qm::fuzz::wordsOf(*bytes)).value() == *request);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  qm::fuzz::forEachFrame(std::as_bytes(std::span(data, size)), decodeOne);
  return 0;
}
