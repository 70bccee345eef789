// A board between a writer and readers, in one process and in two.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "api/board/board_reader.h"
#include "api/board/board_writer.h"
#include "vmm/os/file_descriptor.h"
#include "vmm/os/process.h"
#include "vmm/os/testing/temp_folder.h"

namespace qm::board {
namespace {

class BoardTest : public testing::Test {
 protected:
  test::TempFolder folder;
  std::filesystem::path file = folder.path() / kFileName;
};

Board busy() {
  Board board;
  board.blanks = 2;
  board.granted = 100;
  board.vmsInAll = 1;
  board.pools = {{.name = "hello", .state = "ready", .wanted = 4, .ready = 3, .making = 1, .leased = 2}};
  board.roads = {{.name = "ready", .granted = 90, .p50Us = 120, .p99Us = 400, .mostUs = 900}};
  board.errors = {{.wallMs = 1'700'000'000'000, .text = "a hook failed"}};
  board.vms = {{.id = "vm-1", .state = "running", .pid = 77, .ageMs = 5, .cpuUs = 6000, .instructions = 100'000}};
  return board;
}

TEST_F(BoardTest, WhatIsPublishedIsRead) {
  BoardWriter writer = BoardWriter::create(file).value();
  writer.publish(busy());
  const Look look = lookAtBoard(file).value();
  Board expected = busy();
  expected.writer = {.pid = static_cast<std::uint64_t>(::getpid()),
                     .startTicks = processStartTicks(::getpid()).value()};
  EXPECT_EQ(look.board, expected);
  EXPECT_EQ(look.liveness, Liveness::serving);
  EXPECT_LT(look.sinceHeartbeat, std::chrono::seconds(5));
}

TEST_F(BoardTest, LinesThatAreGoneAreGone) {
  BoardWriter writer = BoardWriter::create(file).value();
  writer.publish(busy());
  writer.publish({});
  EXPECT_TRUE(lookAtBoard(file).value().board.vms.empty());
}

TEST_F(BoardTest, WhatHasNoPlaceIsLeftOutAndLongTextsAreCut) {
  BoardWriter writer = BoardWriter::create(file).value();
  Board board;
  board.vms.resize(kMostVms + 5);
  board.vmsInAll = board.vms.size();
  board.errors = {{.wallMs = 1, .text = std::string(500, 'x')}};
  writer.publish(board);
  const Board read = lookAtBoard(file).value().board;
  EXPECT_EQ(read.vms.size(), kMostVms);
  EXPECT_EQ(read.vmsInAll, kMostVms + 5);
  EXPECT_EQ(read.errors.at(0).text, std::string(240, 'x'));
}

TEST_F(BoardTest, AReaderNeverSeesHalfABoard) {
  BoardWriter writer = BoardWriter::create(file).value();
  std::atomic<bool> done = false;
  std::jthread publisher([&] {
    for (std::uint64_t round = 1; !done; ++round) {
      Board board{.granted = round, .vmsInAll = round};
      board.vms.assign(200, {.id = "vm", .pid = round, .heartbeats = round});
      writer.publish(board);
      std::this_thread::yield();
    }
  });
  for (int i = 0; i < 200; ++i) {
    const auto look = lookAtBoard(file);
    if (!look.has_value()) continue;  // each try met a writer
    EXPECT_EQ(look->board.granted, look->board.vmsInAll);
    for (const Vm& vm : look->board.vms) ASSERT_EQ(vm.heartbeats, look->board.granted);
  }
  done = true;
}

TEST_F(BoardTest, AWriterThatEndsTakesItsBoardAway) {
  {
    const BoardWriter writer = BoardWriter::create(file).value();
  }
  const auto look = lookAtBoard(file);
  ASSERT_FALSE(look.has_value());
  EXPECT_EQ(look.error().remedy(), Remedy::fixInput);
}

TEST_F(BoardTest, AWriterThatWasKilledIsToldAsDeadWithItsLastWords) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    BoardWriter writer = BoardWriter::create(file).value();
    writer.publish(busy());
    ::raise(SIGKILL);
  }
  siginfo_t how{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child), &how, WEXITED | WNOWAIT), 0);
  EXPECT_EQ(lookAtBoard(file).value().liveness, Liveness::died) << "though nobody has asked yet how it ended";
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  const Look look = lookAtBoard(file).value();
  EXPECT_EQ(look.liveness, Liveness::died);
  EXPECT_EQ(look.board.pools, busy().pools);
  BoardWriter next = BoardWriter::create(file).value();
  EXPECT_EQ(lookAtBoard(file).value().liveness, Liveness::serving);
}

TEST_F(BoardTest, AnotherFileIsNoBoard) {
  ASSERT_TRUE(writeAll(openFile(file, OpenMode::create).value(), std::as_bytes(std::span("nothing"))).has_value());
  EXPECT_FALSE(lookAtBoard(file).has_value());
  ASSERT_TRUE(truncateTo(openFile(file, OpenMode::readWrite).value(), kFileBytes).has_value());
  EXPECT_FALSE(lookAtBoard(file).has_value());
}

}  // namespace
}  // namespace qm::board
