#include "vmm/devices/virtio/entropy/entropy.h"

#include <algorithm>

#include "vmm/os/random.h"

namespace qm::virtio {

void Entropy::readConfig(std::uint64_t /*offset*/, std::span<std::byte> into) const {
  std::ranges::fill(into, std::byte{0});
}

Status Entropy::activate(DeviceHost& host, std::uint64_t /*features*/) {
  host_ = &host;
  return {};
}

Result<bool> Entropy::process(std::uint16_t queueIndex) {
  Queue* queue = TRY(host_->queue(queueIndex));
  return drain(*queue, [this](const Chain& chain) { return serve(chain); });
}

Result<std::uint32_t> Entropy::serve(const Chain& chain) {
  constexpr std::uint64_t kMost = 64 * 1024;
  const std::vector<std::byte> given = bytes(std::min(chain.writableBytes(), kMost));
  return static_cast<std::uint32_t>(TRY(copyTo(host_->memory(), chain.writable, 0, given)));
}

std::vector<std::byte> Entropy::bytes(std::size_t count) {
  if (!sequence_) return randomBytes(count);
  std::vector<std::byte> sequence(count);
  for (std::byte& byte : sequence) {
    // xorshift64* (Vigna, "An experimental exploration of Marsaglia's xorshift generators", 2016); never 0.
    std::uint64_t& state = *sequence_;
    if (state == 0) state = 0x9e37'79b9'7f4a'7c15;
    state ^= state >> 12U;
    state ^= state << 25U;
    state ^= state >> 27U;
    byte = static_cast<std::byte>((state * 0x2545'f491'4f6c'dd1d) >> 56U);
  }
  return sequence;
}

}  // namespace qm::virtio
