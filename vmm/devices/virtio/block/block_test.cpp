#include "vmm/devices/virtio/block/block.h"

#include <cstring>
#include <string>

#include <gtest/gtest.h>

#include "vmm/devices/virtio/fake_driver.h"
#include "vmm/os/mapping.h"

namespace qm::virtio {
namespace {

std::string header(std::uint32_t type, std::uint64_t sector) {
  std::string bytes(16, '\0');
  std::memcpy(bytes.data(), &type, 4);
  std::memcpy(bytes.data() + 8, &sector, 8);
  return bytes;
}

// A disk of four sectors, each filled with its number's letter, its driver ready.
struct Disk {
  explicit Disk(bool readOnly = false) {
    for (int sector = 0; sector < 4; ++sector) {
      const std::string text(kSectorBytes, static_cast<char>('a' + sector));
      EXPECT_TRUE(
          writeAt(file, kSectorBytes * static_cast<std::uint64_t>(sector), std::as_bytes(std::span(text))).has_value());
    }
    auto device = Block::create(file.duplicate().value(), readOnly, "disk-0").value();
    transport = MmioTransport::create(std::move(device), {memory, line, log, "vda"}).value();
    driver = std::make_unique<FakeDriver>(memory, *transport);
    driver->start();
  }
  char statusAfter(FakeDriver::Chain& chain, std::size_t statusBuffer) {
    chain.offer();
    driver->ring();
    return static_cast<char>(driver->readBytes(chain.address(statusBuffer), 1)[0]);
  }

  FileDescriptor file = createMemfd("disk", 4 * kSectorBytes + 100).value();
  GuestMemory memory = GuestMemory::anonymous(16 << 20).value();
  FakeLevelLine line;
  Log log = Log::silent();
  std::unique_ptr<MmioTransport> transport;
  std::unique_ptr<FakeDriver> driver;
};

TEST(Block, AReadScatteredOverBuffersBringsTheSectors) {
  Disk disk;
  FakeDriver::Chain chain(*disk.driver, 0);
  chain.readable(header(0, 1)).writable(100).writable(924).writable(1);
  EXPECT_EQ(disk.statusAfter(chain, 3), 0);
  EXPECT_EQ(disk.driver->readBytes(chain.address(1), 100), std::vector<std::byte>(100, std::byte{'b'}));
  EXPECT_EQ(disk.driver->readBytes(chain.address(2) + 923, 1)[0], std::byte{'c'});
  EXPECT_EQ(disk.driver->takeUsed()->second, 1025U);
}

TEST(Block, AWriteReachesTheFile) {
  Disk disk;
  FakeDriver::Chain chain(*disk.driver, 0);
  chain.readable(header(1, 3)).readable(std::string(kSectorBytes, 'Z')).writable(1);
  EXPECT_EQ(disk.statusAfter(chain, 2), 0);
  std::byte last{};
  ASSERT_TRUE(readAt(disk.file, 4 * kSectorBytes - 1, std::span(&last, 1)).has_value());
  EXPECT_EQ(last, std::byte{'Z'});
}

TEST(Block, TheCapacityIsInWholeSectors) {
  Disk disk;
  EXPECT_EQ(disk.driver->readRegister(0x100), 4U);
}

TEST(Block, ARequestBeyondTheEndFailsAndTheDeviceDoesNot) {
  Disk disk;
  FakeDriver::Chain beyond(*disk.driver, 0);
  beyond.readable(header(0, 4)).writable(512).writable(1);
  EXPECT_EQ(disk.statusAfter(beyond, 2), 1);
  FakeDriver::Chain wrapped(*disk.driver, 0);
  wrapped.readable(header(0, ~std::uint64_t{0})).writable(512).writable(1);
  EXPECT_EQ(disk.statusAfter(wrapped, 2), 1);
  EXPECT_FALSE(disk.driver->needsReset());
}

TEST(Block, AReadOnlyDiskRefusesWritesAndSaysSo) {
  Disk disk(true);
  EXPECT_EQ(disk.driver->readRegister(0x10) >> 5U & 1U, 0U);  // the second half was selected last
  disk.driver->writeRegister(0x14, 0);
  EXPECT_EQ(disk.driver->readRegister(0x10) >> 5U & 1U, 1U);
  FakeDriver::Chain chain(*disk.driver, 0);
  chain.readable(header(1, 0)).readable(std::string(kSectorBytes, 'Z')).writable(1);
  EXPECT_EQ(disk.statusAfter(chain, 2), 1);
}

TEST(Block, GetIdAnswersTheIdAndAnUnknownRequestIsUnsupported) {
  Disk disk;
  FakeDriver::Chain getId(*disk.driver, 0);
  getId.readable(header(8, 0)).writable(20).writable(1);
  EXPECT_EQ(disk.statusAfter(getId, 2), 0);
  const auto id = disk.driver->readBytes(getId.address(1), 20);
  EXPECT_EQ(std::memcmp(id.data(), "disk-0\0", 7), 0);
  FakeDriver::Chain discard(*disk.driver, 0);
  discard.readable(header(11, 0)).writable(1);
  EXPECT_EQ(disk.statusAfter(discard, 1), 2);
}

TEST(Block, ARequestWithoutRoomForItsStatusFailsTheDevice) {
  Disk disk;
  FakeDriver::Chain chain(*disk.driver, 0);
  chain.readable(header(0, 0)).offer();
  disk.driver->ring();
  EXPECT_TRUE(disk.driver->needsReset());
  EXPECT_EQ(disk.transport->failures(), 1U);
}

TEST(Block, ARestoredDiskServesTheRequestThatWaited) {
  Disk disk;
  FakeDriver::Chain chain(*disk.driver, 0);
  chain.readable(header(0, 2)).writable(512).writable(1).offer();
  const auto state = std::get<BlockState>(disk.transport->saveDevice());
  FakeLevelLine line;
  const auto restored = MmioTransport::restore(Block::restore(disk.file.duplicate().value(), state).value(),
                                               {disk.memory, line, disk.log, "vda"}, disk.transport->save())
                            .value();
  restored->kick();
  restored->serviceDoorbell();
  EXPECT_TRUE(line.isRaised());
  EXPECT_EQ(disk.driver->readBytes(chain.address(1), 1)[0], std::byte{'c'});
}

TEST(Block, ADiskThatShrankIsNotRestored) {
  const auto restored = Block::restore(createMemfd("small", 512).value(), {.capacitySectors = 4});
  ASSERT_FALSE(restored.has_value());
  EXPECT_EQ(restored.error().text(), "the disk's file has 1 sectors, and the guest knows it with 4");
}

}  // namespace
}  // namespace qm::virtio
