// Any bytes as a state file. The first byte says how: as they are, or as a message with a right envelope around it, as
// an attacker would write it. What decode() takes must be the same after being encoded and decoded again.
#include "snapshot/state/codec.h"
#include "snapshot/state/envelope.h"
#include "vmm/result/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto rest = std::as_bytes(std::span(data, size)).subspan(1);
  const auto bytes = data[0] % 2 == 0 ? std::vector(rest.begin(), rest.end()) : qm::snapshot::seal(rest);
  const auto state = qm::snapshot::decode(bytes);
  if (!state.has_value()) {
    CHECK(state.error().remedy() == qm::Remedy::fixInput);
    return 0;
  }
  CHECK(qm::snapshot::decode(qm::snapshot::encode(*state)).value() == *state);
  return 0;
}
