// Bytes as a guest might send them to the host: they are cut into messages and decoded. What decodes must encode to
// something that decodes to the same.
#include "tests/fuzz/agent_stream.h"
#include "vmm/guest/protocol/frame_reader.h"
#include "vmm/guest/protocol/reply_codec.h"
#include "vmm/result/check.h"

namespace {

using namespace qm::agent;

void decodeOne(std::span<const std::uint64_t> frame) {
  const auto reply = decodeReply(frame);
  if (!reply.has_value()) return;
  const auto bytes = encodeReply(*reply);
  // Overlapping pointers may make an honest spelling longer than messages may be.
  if (!bytes.has_value()) return;
  CHECK(decodeReply(qm::fuzz::wordsOf(*bytes)).value() == *reply);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  qm::fuzz::forEachFrame(std::as_bytes(std::span(data, size)), decodeOne);
  return 0;
}
