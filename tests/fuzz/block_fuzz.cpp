// Any driver against a disk: it reads and writes its file within its size, and a read-only one never changes.
#include <array>

#include "tests/fuzz/hostile_driver.h"
#include "vmm/devices/virtio/block/block.h"
#include "vmm/os/mapping.h"
#include "vmm/result/check.h"

namespace {

using namespace qm;
using namespace qm::virtio;

constexpr std::uint64_t kDiskBytes = 4 * kSectorBytes;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const bool readOnly = input.byte() % 2 != 0;
  const FileDescriptor file = createMemfd("disk", kDiskBytes).value();
  fuzz::HostileDriver driver([&](const DeviceState* state) {
    FileDescriptor disk = file.duplicate().value();
    return state == nullptr ? Block::create(std::move(disk), readOnly, "fuzz").value()
                            : Block::restore(std::move(disk), std::get<BlockState>(*state)).value();
  });
  driver.run(input, [](auto&) {});
  CHECK(fileBytes(file).value() == kDiskBytes);
  std::array<std::byte, kDiskBytes> contents{};
  CHECK(readAt(file, 0, contents).has_value());
  CHECK(!readOnly || contents == (std::array<std::byte, kDiskBytes>{}));
  return 0;
}
