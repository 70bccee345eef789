#include <cstring>

#include <gtest/gtest.h>

#include "vmm/os/eventfd.h"
#include "vmm/os/file_descriptor.h"
#include "vmm/os/mapping.h"
#include "vmm/os/stream_socket.h"
#include "vmm/os/unix_socket.h"
#include "vmm/os/wait.h"
#include "vmm/os/writable_watch.h"

namespace qm {
namespace {

TEST(FileDescriptor, AMissingFileIsTheCallersToFix) {
  const auto file = openFile("/nowhere/at/all", OpenMode::read);
  ASSERT_FALSE(file.has_value());
  EXPECT_EQ(file.error().remedy(), Remedy::fixInput);
  EXPECT_EQ(file.error().text(), "open /nowhere/at/all: No such file or directory");
}

TEST(FileDescriptor, ReadingPastTheEndSaysWhereTheFileEnds) {
  const FileDescriptor file = createMemfd("short", 10).value();
  std::byte bytes[11];
  const auto read = readAt(file, 0, bytes);
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().text(), "the file ends at byte 10, before what should be read");
}

TEST(FileDescriptor, ReadingWellPastTheEndSaysWhereTheFileEnds) {
  const FileDescriptor file = createMemfd("short", 10).value();
  std::byte bytes[11];
  const auto read = readAt(file, 4096, bytes);
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().text(), "the file ends at byte 10, before what should be read");
}

TEST(FileDescriptor, ReadingWhereNoFileCanReachSaysThatTheFileEnds) {
  const FileDescriptor file = createMemfd("short", 10).value();
  std::byte bytes[11];
  for (const std::uint64_t offset : {~std::uint64_t{0}, std::uint64_t{1} << 63U, (std::uint64_t{1} << 63U) - 5})
    EXPECT_EQ(readAt(file, offset, bytes).error().remedy(), Remedy::fixInput);
}

TEST(FileDescriptor, MovingLeavesNothingToCloseTwice) {
  FileDescriptor first = createMemfd("moved", 1).value();
  const int number = first.get();
  const FileDescriptor second = std::move(first);
  EXPECT_FALSE(first.isOpen());  // NOLINT(bugprone-use-after-move,clang-analyzer-cplusplus.Move): the moved-from state
                                 // is what is tested
  EXPECT_EQ(second.get(), number);
}

TEST(FileDescriptor, ALockIsHeldAsLongAsItsFileIsOpen) {
  FileDescriptor first = openFile("/proc/self/fd", OpenMode::read).value();
  const FileDescriptor second = openFile("/proc/self/fd", OpenMode::read).value();
  ASSERT_TRUE(lockExclusively(first).has_value());
  EXPECT_EQ(lockExclusively(second).error().remedy(), Remedy::retry);
  first.close();
  EXPECT_TRUE(lockExclusively(second).has_value());
}

TEST(Mapping, APrivateCopyLeavesTheFileAsItWas) {
  const FileDescriptor file = createMemfd("template", pageBytes()).value();
  const Mapping copy = Mapping::ofFile(file, 0, pageBytes(), Sharing::privateCopy, Access::readWrite).value();
  std::memset(copy.bytes().data(), 0xab, pageBytes());
  std::byte first{0xff};
  ASSERT_TRUE(readAt(file, 0, std::span(&first, 1)).has_value());
  EXPECT_EQ(first, std::byte{0});
}

TEST(Eventfd, SignalsAddUpUntilTheyAreTaken) {
  const Eventfd event = Eventfd::create().value();
  EXPECT_EQ(event.take(), 0U);
  event.signal();
  event.signal();
  EXPECT_EQ(event.take(), 2U);
  EXPECT_EQ(event.take(), 0U);
}

TEST(UnixSocket, APathThatDoesNotFitIsTheCallersToFix) {
  const auto listener = listenUnix(std::string(200, 'x'), Blocking::yes);
  ASSERT_FALSE(listener.has_value());
  EXPECT_EQ(listener.error().remedy(), Remedy::fixInput);
}

TEST(UnixSocket, NobodyListeningYetAsksForARetry) {
  const auto socket = connectUnix("/tmp/quickmatch-nobody-listens-here", Blocking::yes);
  ASSERT_FALSE(socket.has_value());
  EXPECT_EQ(socket.error().remedy(), Remedy::retry);
}

TEST(StreamSocket, LookingAheadTakesNothing) {
  const auto [here, there] = unixSocketPair().value();
  std::byte ahead{};
  EXPECT_EQ(peekSome(here, std::span(&ahead, 1)).error().remedy(), Remedy::retry);
  const std::byte sent{42};
  EXPECT_EQ(sendSome(there, std::span(&sent, 1)).value(), 1U);
  EXPECT_EQ(peekSome(here, std::span(&ahead, 1)).value(), 1U);
  EXPECT_EQ(ahead, sent);
  EXPECT_EQ(readSome(here, std::span(&ahead, 1)).value(), 1U);
}

TEST(StreamSocket, AFullOneAsksForARetryAndOneWithoutAPeerSaysGiveUp) {
  auto [here, there] = unixSocketPair().value();
  const std::vector<std::byte> piece(4096);
  Result<std::size_t> sent = piece.size();
  while (sent.has_value()) sent = sendSome(here, piece);
  EXPECT_EQ(sent.error().remedy(), Remedy::retry);
  there.close();
  EXPECT_EQ(sendSome(here, piece).error().remedy(), Remedy::giveUp);
}

TEST(WritableWatch, IsReadableWhileWhatItWatchesIsWritable) {
  auto [here, there] = unixSocketPair().value();
  const WritableWatch watch = WritableWatch::create(here).value();
  const auto isReadable = [&watch] {
    return waitReadable(watch.file(), std::chrono::steady_clock::now() + std::chrono::milliseconds(20)).has_value();
  };
  EXPECT_TRUE(watch.isWritable());
  EXPECT_TRUE(isReadable());
  const std::vector<std::byte> piece(4096);
  while (sendSome(here, piece).has_value()) {
  }
  EXPECT_FALSE(watch.isWritable());
  EXPECT_FALSE(isReadable());
  there.close();
  EXPECT_TRUE(watch.isWritable()) << "an end is one, too";
}

TEST(StreamSocket, APeerThatStopsSendingIsNotHungUpAndOneThatClosesIs) {
  auto [here, there] = unixSocketPair().value();
  stopSending(there);
  std::byte end{};
  EXPECT_EQ(peekSome(here, std::span(&end, 1)).value(), 0U);
  EXPECT_FALSE(isHungUp(here));
  there.close();
  EXPECT_TRUE(isHungUp(here));
}

}  // namespace
}  // namespace qm
