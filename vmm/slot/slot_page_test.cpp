// The page between two sides: in one process, between two, and with a writer that means harm.
#include "vmm/slot/slot_page.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <random>

#include <gtest/gtest.h>

#include "vmm/slot/slot_writer.h"

namespace qm::slot {
namespace {

class SlotPageTest : public testing::Test {
 protected:
  Writer writer() { return Writer::open(page.file().duplicate().value()).value(); }
  Mapping raw() const {
    return Mapping::ofFile(page.file(), 0, kPageBytes, Sharing::shared, Access::readWrite).value();
  }

  SlotPage page = SlotPage::make().value();
};

TEST_F(SlotPageTest, WhatTheVmmWritesIsRead) {
  Writer vmm = writer();
  EXPECT_EQ(page.read().value().state, State::unborn);
  vmm.mark(Moment::begun);
  vmm.move(State::blank);
  vmm.beatBegins();
  vmm.move(State::loading);
  vmm.populated(5);
  vmm.mark(Moment::loaded);
  vmm.move(State::paused);
  vmm.move(State::running);
  vmm.counted(1, 2000, 30);
  vmm.exited(1, ExitKind::mmioWrite);
  const View busy = page.read().value();
  EXPECT_TRUE(busy.busy.has_value());
  vmm.beatEnds();
  const View view = page.read().value();
  EXPECT_EQ(view.state, State::running);
  EXPECT_EQ(view.guests, 1U);
  EXPECT_EQ(view.heartbeats, 1U);
  EXPECT_FALSE(view.busy.has_value());
  EXPECT_EQ(view.populated, 5U);
  EXPECT_EQ(view.instructions, 2000U);
  EXPECT_EQ(view.decoded, 30U);
  EXPECT_EQ(view.exits[1], 1U);
  EXPECT_TRUE(view.at(Moment::begun).has_value());
  EXPECT_FALSE(view.at(Moment::listening).has_value());
  EXPECT_GT(view.at(Moment::loaded)->cpu, std::chrono::nanoseconds(0));
}

TEST_F(SlotPageTest, AVcpuThatIsMadeAnewCountsOn) {
  Writer vmm = writer();
  vmm.counted(0, 1000, 10);
  vmm.counted(0, 1500, 10);
  vmm.counted(0, 200, 5);
  const View view = page.read().value();
  EXPECT_EQ(view.instructions, 1700U);
  EXPECT_EQ(view.decoded, 15U);
}

TEST_F(SlotPageTest, AnIllegalStepOfOursEndsTheProcess) {
  EXPECT_DEATH(writer().move(State::running), "CHECK failed");
}

TEST_F(SlotPageTest, AnotherProcessWritesAndWeRead) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    Writer vmm = writer();
    vmm.move(State::blank);
    vmm.move(State::loading);
    vmm.counted(0, 12'345, 0);
    vmm.move(State::paused);
    ::_exit(0);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  const View view = page.read().value();
  EXPECT_EQ(view.state, State::paused);
  EXPECT_EQ(view.instructions, 12'345U);
}

TEST_F(SlotPageTest, WhoHasTheFileCannotChangeItsSizeNorItsSeals) {
  const int file = page.file().get();
  EXPECT_EQ(::ftruncate(file, 0), -1);
  EXPECT_EQ(errno, EPERM);
  EXPECT_EQ(::ftruncate(file, 1 << 20), -1);
  EXPECT_EQ(::fcntl(file, F_ADD_SEALS, F_SEAL_WRITE), -1);
  EXPECT_EQ(errno, EPERM);
}

// The seals allow it: the reader meets zeros, not the end of the file.
TEST_F(SlotPageTest, APageWithAHolePunchedIntoItIsRefused) {
  ASSERT_EQ(::fallocate(page.file().get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, kPageBytes), 0);
  EXPECT_EQ(page.read().error().text(), "the VM's slot page is spoilt");
}

TEST_F(SlotPageTest, WhatWasRefusedOnceStaysRefused) {
  const Mapping mapping = raw();
  std::array<std::byte, kPageBytes> good{};
  std::memcpy(good.data(), mapping.bytes().data(), kPageBytes);
  std::memset(mapping.bytes().data(), 0xff, kPageBytes);
  EXPECT_FALSE(page.read().has_value());
  std::memcpy(mapping.bytes().data(), good.data(), kPageBytes);
  EXPECT_FALSE(page.read().has_value());
}

TEST_F(SlotPageTest, AWriterThatWritesWhateverComesNeverEndsTheReader) {
  const Mapping mapping = raw();
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    std::mt19937_64 random(1);
    for (;;) {
      const std::uint64_t word = random();
      std::memcpy(mapping.bytes().data() + random() % (kPageBytes / 8) * 8, &word, sizeof word);
    }
  }
  for (int i = 0; i < 100'000; ++i) static_cast<void>(page.read());
  ASSERT_EQ(::kill(child, SIGKILL), 0);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_FALSE(page.read().has_value());
}

TEST(SlotWriter, AnythingButAPageOfThisVersionIsRefused) {
  EXPECT_EQ(Writer::open(createMemfd("short", 100).value()).error().text(), "the descriptor of --slot is no slot page");
  EXPECT_EQ(Writer::open(createMemfd("zeros", kPageBytes).value()).error().text(),
            "the descriptor of --slot is no slot page");
  SlotPage page = SlotPage::make().value();
  const std::uint64_t version = kVersion + 1;
  ASSERT_TRUE(writeAt(page.file(), 8, std::as_bytes(std::span(&version, 1))).has_value());
  EXPECT_EQ(Writer::open(page.file().duplicate().value()).error().text(),
            "the slot page has version 2, not 1; use programs of one build");
}

}  // namespace
}  // namespace qm::slot
