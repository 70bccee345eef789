// Any driver, and any frames from the wire, against the network device: what it puts on the wire is a frame whose
// header asks for nothing.
#include <array>
#include <vector>

#include "tests/fuzz/hostile_driver.h"
#include "vmm/devices/virtio/net/net.h"
#include "vmm/os/tap.h"
#include "vmm/result/check.h"

namespace {

using namespace qm;
using namespace qm::virtio;

struct Wire {
  // A restored device finds its tap as it was left.
  std::unique_ptr<Device> plug(const DeviceState* state) {
    return Net::create(*loop, ends.first.duplicate().value(),
                       state == nullptr ? NetState{} : std::get<NetState>(*state))
        .value();
  }
  void turn(fuzz::Input& input) {
    const std::uint8_t shape = input.byte();
    if (shape < 64) {
      std::vector<std::byte> sent(shape == 63 ? 66'000 : shape * 4U);
      std::ranges::copy(input.take(shape % 16), sent.begin());
      if (!sent.empty()) (void)writeFrame(ends.second, sent);
    }
    loop->stop();
    loop->run();
    drain();
  }
  void drain() {
    for (;;) {
      const auto count = readFrame(ends.second, received);
      if (!count.has_value() || *count == 0) return;
      CHECK(*count >= kTapHeaderBytes + 14);
      CHECK(std::ranges::all_of(std::span(received).first(kTapHeaderBytes),
                                [](std::byte b) { return b == std::byte{0}; }));
    }
  }

  std::unique_ptr<EventLoop> loop = EventLoop::create().value();
  std::pair<FileDescriptor, FileDescriptor> ends = frameSocketPair().value();
  std::vector<std::byte> received = std::vector<std::byte>(1 << 17);
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  Wire wire;
  fuzz::HostileDriver driver([&](const DeviceState* state) { return wire.plug(state); });
  driver.run(input, [&](fuzz::Input& rest) { wire.turn(rest); });
  return 0;
}
