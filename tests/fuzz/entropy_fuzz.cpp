// Any driver against the entropy device.
#include "tests/fuzz/hostile_driver.h"
#include "vmm/devices/virtio/entropy/entropy.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  qm::fuzz::Input input(data, size);
  qm::fuzz::HostileDriver driver([](const auto*) { return std::make_unique<qm::virtio::Entropy>(); });
  driver.run(input, [](auto&) {});
  return 0;
}
