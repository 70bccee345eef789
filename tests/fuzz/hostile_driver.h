// A virtio driver that does anything: what it does with registers, rings and guest memory is the fuzzer's choice. It
// keeps to the rules often enough that a device has work, and checks after each ring what must hold whatever it did.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "tests/fuzz/fuzz_input.h"
#include "vmm/devices/line/fake_line.h"
#include "vmm/devices/virtio/mmio_transport.h"

namespace qm::fuzz {

class HostileDriver {
 public:
  // Makes the device: a fresh one (null), or one as it was saved.
  using MakeDevice = std::function<std::unique_ptr<virtio::Device>(const virtio::DeviceState*)>;
  explicit HostileDriver(MakeDevice makeDevice);

  // Does what the input says until it is used up, or has gone on for long enough; `deviceStep` between the steps is the
  // other side's turn: a wire, a client.
  void run(Input& input, const std::function<void(Input&)>& deviceStep);

 private:
  static constexpr std::uint64_t kMemoryBytes = 256 * 1024;

  virtio::TransportWiring wiring() { return {memory_, line_, log_, "fuzz"}; }
  void step(Input& input);
  void start(Input& input);
  void writeRegister(std::uint64_t offset, std::uint32_t value) { transport_->write(offset, 4, value); }
  void accessAnywhere(Input& input);
  void writeMemory(Input& input);
  void offerChain(Input& input);
  void ring(Input& input);
  void saveAndRestore(Input& input);

  MakeDevice makeDevice_;
  GuestMemory memory_ = GuestMemory::anonymous(kMemoryBytes).value();
  FakeLevelLine line_;
  Log log_ = Log::silent();
  std::unique_ptr<virtio::MmioTransport> transport_;
};

}  // namespace qm::fuzz
