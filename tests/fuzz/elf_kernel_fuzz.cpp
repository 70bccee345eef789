// ELF kernels, by each protocol.
#include "tests/fuzz/kernel_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto kernel = std::as_bytes(std::span(data, size));
  for (const auto protocol : {qm::boot::Protocol::automatic, qm::boot::Protocol::linux64})
    qm::fuzz::bootKernel(kernel, protocol);
  return 0;
}
