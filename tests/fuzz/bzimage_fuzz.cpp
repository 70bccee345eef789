// bzImages. A whole one starts with a boot sector that the loader skips; the input begins behind it, at the setup
// header, so that the fuzzer spends its bytes on what is read.
#include <algorithm>
#include <vector>

#include "tests/fuzz/kernel_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kHeaderOffset = 0x1f1;
  std::vector<std::byte> kernel(kHeaderOffset + size);
  std::ranges::copy(std::as_bytes(std::span(data, size)), kernel.begin() + kHeaderOffset);
  qm::fuzz::bootKernel(kernel, qm::boot::Protocol::automatic);
  return 0;
}
