// Any bytes as a request to the spawner: refused, or decoded to what encodes to the same bytes and keeps a jail's
// rules.
#include <algorithm>

#include "vmm/os/program.h"
#include "vmm/result/check.h"
#include "vmm/spawner/message.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace qm;
  const auto bytes = std::as_bytes(std::span(data, size));
  (void)spawner::decodeAnswer(bytes);
  const Result<spawner::Request> request = spawner::decodeRequest(bytes);
  if (!request.has_value()) return 0;
  CHECK(std::ranges::equal(spawner::encode(spawner::numberOf(bytes), *request), bytes));
  if (const auto* spawn = std::get_if<spawner::SpawnMessage>(&*request)) {
    CHECK(check(spawn->jail).has_value());
    CHECK(!spawn->arguments.empty() && spawn->arguments.size() <= spawner::kArguments);
    CHECK(std::ranges::all_of(spawn->numbers, [](std::uint32_t number) { return number < kGivenNumbers; }));
  }
  return 0;
}
