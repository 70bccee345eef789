// virtio-rng (virtio 1.2, 5.4): random bytes of the host's generator, or of a sequence that follows from a seed.
// Modelled: all there is. A request is answered with 64 KiB at most, so that a guest cannot hold the loop for long.
#pragma once

#include <cstdint>
#include <optional>

#include "vmm/devices/virtio/device.h"

namespace qm::virtio {

class Entropy final : public Device {
 public:
  // seed: none, and the bytes are the host's; a saved sequence then ends, and otherwise goes on instead of the seed's.
  explicit Entropy(std::optional<std::uint64_t> seed = std::nullopt, const EntropyState& saved = {})
      : sequence_(seed && saved.hasSequence ? std::optional(saved.sequence) : seed) {}
  DeviceKind kind() const override { return DeviceKind::entropy; }
  std::uint64_t features() const override { return 0; }
  std::vector<std::uint16_t> queueSizes() const override { return {64}; }
  void readConfig(std::uint64_t offset, std::span<std::byte> into) const override;
  void writeConfig(std::uint64_t /*offset*/, std::span<const std::byte> /*bytes*/) override {}
  Status activate(DeviceHost& host, std::uint64_t features) override;
  void reset() override { host_ = nullptr; }
  Result<bool> process(std::uint16_t queueIndex) override;
  DeviceState save() const override {
    return EntropyState{.hasSequence = sequence_.has_value(), .sequence = sequence_.value_or(0)};
  }

 private:
  Result<std::uint32_t> serve(const Chain& chain);

  std::vector<std::byte> bytes(std::size_t count);

  std::optional<std::uint64_t> sequence_;  // its state; none: the host's
  DeviceHost* host_ = nullptr;             // while active
};

}  // namespace qm::virtio
