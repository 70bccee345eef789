// Preparing code takes a list from a process that a guest ran in, and a memory that is a guest's. Whatever both hold,
// what comes out is a file whose every index is sound; and bytes that are no such file are refused.
//
// An input is: memory of two pages, repeated; hints that mostly name it.

#include <algorithm>
#include <array>
#include <vector>

#include "tests/fuzz/fuzz_input.h"
#include "vmm/hypervisor/soft/blocks/code_hints.h"
#include "vmm/hypervisor/soft/prepared_code.h"
#include "vmm/memory/guest_memory.h"
#include "vmm/result/check.h"

namespace {

using namespace qm;

constexpr std::uint64_t kPage = 4096, kRamBytes = 4 * kPage;

// Half of them have the digest that the memory has, so that more than digests is tried.
std::vector<std::byte> anyHints(fuzz::Input& input, const GuestMemory& memory) {
  soft::PhysicalMemory physical;
  physical.set({.start = GuestAddress{0}, .host = memory.regions()[0].host});
  std::vector<soft::CodeHint> hints;
  for (unsigned count = input.byte() % 32; count > 0; --count) {
    const std::uint64_t mode = input.byte() % 4 == 0 ? input.number<std::uint16_t>() : 2;
    soft::CodeHint hint{.key = mode << 52U | input.number<std::uint16_t>() % (kRamBytes + kPage),
                        .secondPage = input.byte() % 4 * kPage,
                        .bytes = input.byte() % 64U};
    if (input.byte() % 8 == 0) hint.secondPage = input.number<std::uint64_t>();
    hint.digest = soft::codeDigest(physical, hint).value_or(0);
    hints.push_back(hint);
  }
  return soft::encodeHints(hints);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr MemoryDigest kDigest{};
  static_cast<void>(sealSoftCode(std::as_bytes(std::span(data, size)), kDigest));
  static_cast<void>(soft::decodeHints(std::as_bytes(std::span(data, size))));
  fuzz::Input input(data, size);
  const GuestMemory memory = GuestMemory::anonymous(kRamBytes).value();
  const std::span<const std::byte> code = input.take(input.number<std::uint16_t>() % (2 * kPage));
  CHECK(memory.regions()[0].host.size() == kRamBytes);
  std::ranges::copy(code, memory.regions()[0].host.begin());
  std::ranges::copy(code, memory.regions()[0].host.subspan(2 * kPage).begin());
  const auto prepared = prepareSoftCode(memory, kDigest, std::array{anyHints(input, memory)});
  CHECK(prepared.has_value());
  CHECK(sealSoftCode(*prepared, kDigest).has_value());
  return 0;
}
