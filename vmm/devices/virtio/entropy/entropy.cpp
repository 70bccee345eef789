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
  const std::vector<std::byte> bytes = randomBytes(std::min(chain.writableBytes(), kMost));
  return static_cast<std::uint32_t>(TRY(copyTo(host_->memory(), chain.writable, 0, bytes)));
}

}  // namespace qm::virtio
