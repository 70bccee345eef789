#include <sys/stat.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "vmm/memory/guest_memory.h"
#include "vmm/memory/page_run.h"
#include "vmm/memory/prefault.h"

namespace qm {
namespace {

constexpr std::uint64_t kMiB = 1024 * 1024;

TEST(Layout, RamUpToThreeGibibytesIsOneRange) {
  EXPECT_EQ(ramLayout(128 * kMiB), (std::vector<MemoryRange>{{GuestAddress{0}, 128 * kMiB, 0}}));
  EXPECT_EQ(ramLayout(kMmioHoleStart.value).size(), 1U);
}

TEST(Layout, WhatDoesNotFitBelowTheHoleContinuesAboveFourGibibytes) {
  const std::vector<MemoryRange> expected{{GuestAddress{0}, 3072 * kMiB, 0}, {kMmioHoleEnd, 1024 * kMiB, 3072 * kMiB}};
  EXPECT_EQ(ramLayout(4096 * kMiB), expected);
}

TEST(GuestMemory, AnAddressBeyondRamIsAnErrorThatNamesIt) {
  const GuestMemory memory = GuestMemory::anonymous(kMiB).value();
  const auto read = memory.readObject<std::uint64_t>(GuestAddress{kMiB - 4});
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().text(), "guest address 0xffffc + 8 bytes is not RAM");
}

TEST(GuestMemory, ALengthThatWrapsAroundTheAddressSpaceIsRefused) {
  const GuestMemory memory = GuestMemory::anonymous(kMiB).value();
  EXPECT_FALSE(memory.hostRange(GuestAddress{0x1000}, ~std::uint64_t{0}).has_value());
  EXPECT_FALSE(memory.hostRange(GuestAddress{~std::uint64_t{0}}, 2).has_value());
}

TEST(GuestMemory, AccessDoesNotRunAcrossTheHole) {
  const GuestMemory memory = GuestMemory::anonymous(3073 * kMiB).value();
  EXPECT_TRUE(memory.hostRange(kMmioHoleEnd, kMiB).has_value());
  EXPECT_FALSE(memory.hostRange(GuestAddress{kMmioHoleStart.value - 8}, 16).has_value());
  EXPECT_FALSE(memory.hostRange(kMmioHoleStart, 1).has_value());
}

TEST(GuestMemory, WritesMarkEveryPageTheyTouchAndTakingClears) {
  GuestMemory memory = GuestMemory::anonymous(kMiB).value();
  const std::array<std::byte, 2> bytes{};
  ASSERT_TRUE(memory.write(GuestAddress{2 * kGuestPageBytes - 1}, bytes).has_value());
  EXPECT_EQ(memory.takeDeviceDirty().at(0).at(0), 0b110U);
  EXPECT_EQ(memory.takeDeviceDirty().at(0).at(0), 0U);
}

TEST(GuestMemory, TheObserverLearnsOfEveryWriteWhenItsBytesAreThere) {
  GuestMemory memory = GuestMemory::anonymous(kMiB).value();
  struct Seen {
    GuestAddress start;
    std::uint64_t bytes;
    std::uint16_t value;  // what lies there at that moment
    bool operator==(const Seen&) const = default;
  };
  std::vector<Seen> seen;
  memory.observeWrites([&](GuestAddress start, std::uint64_t bytes) {
    seen.push_back({start, bytes, memory.readObject<std::uint16_t>(start).value()});
  });
  ASSERT_TRUE(memory.writeObject(GuestAddress{0x1001}, std::uint32_t{0x1122'3344}).has_value());
  ASSERT_TRUE(memory.storeRelease16(GuestAddress{0x2000}, 0x5566).has_value());
  memory.hostRange(GuestAddress{0x3000}, 2).value()[0] = std::byte{0x77};
  memory.markDirty(GuestAddress{0x3000}, 512);
  const std::vector<Seen> expected{
      {GuestAddress{0x1001}, 4, 0x3344}, {GuestAddress{0x2000}, 2, 0x5566}, {GuestAddress{0x3000}, 512, 0x0077}};
  EXPECT_EQ(seen, expected);
}

TEST(GuestMemory, WritesThatWereRefusedAreNotObserved) {
  GuestMemory memory = GuestMemory::anonymous(kMiB).value();
  std::size_t calls = 0;
  memory.observeWrites([&](GuestAddress /*start*/, std::uint64_t /*bytes*/) { ++calls; });
  EXPECT_FALSE(memory.writeObject(GuestAddress{kMiB - 1}, std::uint16_t{1}).has_value());
  EXPECT_FALSE(memory.storeRelease16(GuestAddress{3}, 1).has_value());
  EXPECT_TRUE(memory.write(GuestAddress{0x1000}, {}).has_value());
  EXPECT_EQ(calls, 0U);
}

TEST(GuestMemory, AFileShorterThanTheGuestIsRefusedBeforeTheGuestCouldTouchIt) {
  const FileDescriptor file = createMemfd("short", kMiB - 1).value();
  const auto memory = GuestMemory::ofFile(file, kMiB, Sharing::privateCopy);
  ASSERT_FALSE(memory.has_value());
  EXPECT_EQ(memory.error().remedy(), Remedy::fixInput);
}

TEST(GuestMemory, WhatIsRevertedIsTheFilesAgainAndNobodysToObserve) {
  const FileDescriptor file = createMemfd("memory", kMiB).value();
  const std::array original{std::byte{7}};
  ASSERT_TRUE(writeAt(file, kGuestPageBytes, original).has_value());
  GuestMemory memory = GuestMemory::ofFile(file, kMiB, Sharing::privateCopy).value();
  int seen = 0;
  memory.observeWrites([&seen](GuestAddress, std::uint64_t) { ++seen; });
  const std::array written{std::byte{9}};
  ASSERT_TRUE(memory.write(GuestAddress{kGuestPageBytes}, written).has_value());
  ASSERT_TRUE(memory.write(GuestAddress{5 * kGuestPageBytes}, written).has_value());
  const std::byte* const place = memory.regions().at(0).host.data();

  ASSERT_TRUE(memory.revert().has_value());
  EXPECT_EQ(memory.regions().at(0).host.data(), place);
  EXPECT_EQ(memory.readObject<std::byte>(GuestAddress{kGuestPageBytes}).value(), std::byte{7});
  EXPECT_EQ(memory.readObject<std::byte>(GuestAddress{5 * kGuestPageBytes}).value(), std::byte{0});
  EXPECT_EQ(memory.takeDeviceDirty().at(0).at(0), 0U);
  ASSERT_TRUE(memory.write(GuestAddress{0}, written).has_value());
  EXPECT_EQ(seen, 2);
  memory.observeWrites([](GuestAddress, std::uint64_t) {});  // there is room for another
}

std::uint64_t pagesIn(const FileDescriptor& file) {
  struct stat status{};
  EXPECT_EQ(::fstat(file.get(), &status), 0);
  return static_cast<std::uint64_t>(status.st_blocks) * 512 / kGuestPageBytes;
}

TEST(GuestMemory, WhatIsWrittenToAHoleIsNotInTheFile) {
  const FileDescriptor file = createMemfd("memory", kMiB).value();
  const std::array original{std::byte{7}};
  ASSERT_TRUE(writeAt(file, 0, original).has_value());
  GuestMemory memory = GuestMemory::ofSparseFile(file, kMiB, std::array{PageRun{.first = 16, .count = 240}}).value();
  const std::array written{std::byte{9}};
  for (const std::uint64_t page : {0U, 16U, 255U})
    ASSERT_TRUE(memory.write(GuestAddress{page * kGuestPageBytes}, written).has_value());
  EXPECT_EQ(memory.readObject<std::byte>(GuestAddress{100 * kGuestPageBytes}).value(), std::byte{0});
  EXPECT_EQ(pagesIn(file), 1U);

  ASSERT_TRUE(memory.revert().has_value());
  EXPECT_EQ(memory.readObject<std::byte>(GuestAddress{0}).value(), std::byte{7});
  EXPECT_EQ(memory.readObject<std::byte>(GuestAddress{16 * kGuestPageBytes}).value(), std::byte{0});
  EXPECT_EQ(pagesIn(file), 1U);
}

// The "VmFlags:" line of the mapping that begins there (proc(5), smaps).
std::string flagsOf(const std::byte* start) {
  std::ifstream smaps("/proc/self/smaps");
  const std::string beginning = fmt::format("{:x}-", reinterpret_cast<std::uintptr_t>(start));
  bool isFound = false;
  for (std::string line; std::getline(smaps, line);) {
    isFound = isFound || line.starts_with(beginning);
    if (isFound && line.starts_with("VmFlags:")) return line + " ";
  }
  return {};
}

// A host may give huge pages to whoever does not refuse them.
TEST(GuestMemory, AHoleIsMadeOfSmallPages) {
  if (!std::filesystem::exists("/sys/kernel/mm/transparent_hugepage")) GTEST_SKIP() << "this kernel has no huge pages";
  const FileDescriptor file = createMemfd("memory", kMiB).value();
  const GuestMemory memory =
      GuestMemory::ofSparseFile(file, kMiB, std::array{PageRun{.first = 16, .count = 16}}).value();
  EXPECT_TRUE(flagsOf(memory.regions().at(0).host.data() + 16 * kGuestPageBytes).contains(" nh "));
}

TEST(GuestMemory, AHoleMayReachOverTheEndOfARange) {
  constexpr std::uint64_t kBytes = 3073 * kMiB;
  const FileDescriptor file = createMemfd("memory", kBytes).value();
  constexpr auto kFirst = static_cast<std::uint32_t>(3071 * kMiB / kGuestPageBytes);
  GuestMemory memory =
      GuestMemory::ofSparseFile(file, kBytes, std::array{PageRun{.first = kFirst, .count = 512}}).value();
  const std::array written{std::byte{9}};
  ASSERT_TRUE(memory.write(GuestAddress{3071 * kMiB}, written).has_value());
  ASSERT_TRUE(memory.write(GuestAddress{kMmioHoleEnd.value + kMiB - 1}, written).has_value());
  EXPECT_EQ(pagesIn(file), 0U);
}

TEST(GuestMemory, AHoleBeyondTheEndIsRefused) {
  const FileDescriptor file = createMemfd("memory", kMiB).value();
  const auto memory = GuestMemory::ofSparseFile(file, kMiB, std::array{PageRun{.first = 255, .count = 2}});
  ASSERT_FALSE(memory.has_value());
  EXPECT_EQ(memory.error().remedy(), Remedy::fixInput);
  EXPECT_FALSE(GuestMemory::ofSparseFile(file, kMiB, std::array{PageRun{.first = ~0U, .count = ~0U}}).has_value());
}

TEST(GuestMemory, RingIndicesMustBeAligned) {
  GuestMemory memory = GuestMemory::anonymous(kMiB).value();
  EXPECT_FALSE(memory.loadAcquire16(GuestAddress{3}).has_value());
  ASSERT_TRUE(memory.storeRelease16(GuestAddress{4}, 0x1234).has_value());
  EXPECT_EQ(memory.loadAcquire16(GuestAddress{4}).value(), 0x1234);
}

TEST(PageRuns, BitsInARowAreOneRunAlsoAcrossWords) {
  const std::vector<std::uint64_t> bitmap{1ULL << 63U | 0b0110, 0, 0b1, ~0ULL};
  EXPECT_EQ(pageRuns(bitmap), (std::vector<PageRun>{{.first = 1, .count = 2},
                                                    {.first = 63, .count = 1},
                                                    {.first = 128, .count = 1},
                                                    {.first = 192, .count = 64}}));
}

TEST(PageRuns, NoMoreThanAMessageHolds) {
  EXPECT_EQ(pageRuns(std::vector<std::uint64_t>(100, 0x5555'5555'5555'5555)).size(), kMaxPageRuns);
}

TEST(Prefault, WhatIsNotThereIsPassedOverAndContentsStay) {
  constexpr std::uint64_t kPages = 16;
  const FileDescriptor file = createMemfd("prefault", kPages * kGuestPageBytes).value();
  const std::vector<std::byte> bytes(kGuestPageBytes, std::byte{7});
  ASSERT_TRUE(writeAt(file, kGuestPageBytes, bytes));
  const GuestMemory memory = GuestMemory::ofFile(file, kPages * kGuestPageBytes, Sharing::privateCopy).value();
  prefault(memory, {.written = {{.first = 1, .count = 1}, {.first = 15, .count = 9}, {.first = ~0U, .count = ~0U}},
                    .read = {{.first = 4, .count = 2}}});
  EXPECT_EQ(memory.readObject<std::uint8_t>(GuestAddress{kGuestPageBytes}).value(), 7);
}

}  // namespace
}  // namespace qm
