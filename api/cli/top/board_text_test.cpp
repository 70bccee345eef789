#include "api/cli/top/board_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace qm::cli {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

board::Look look() {
  board::Look look;
  look.board.writer.pid = 77;
  look.board.grantedPerKs = 150'500;
  look.board.vmsInAll = 1;
  look.board.pools = {{.name = "hello", .state = "ready", .wanted = 16, .ready = 15}};
  look.board.roads = {{.name = "ready", .granted = 3, .p50Us = 120, .p99Us = 1500, .mostUs = 1500}, {.name = "boot"}};
  look.board.vms = {
      {.id = "vm-1", .state = "running", .pid = 99, .ageMs = 2500, .cpuUs = 3500, .instructions = 1'500'000}};
  look.sinceHeartbeat = 12'400ms;
  return look;
}

TEST(BoardText, PoolsRoadsAndVmsHaveALineEach) {
  const std::string text = boardText(look());
  EXPECT_THAT(text, HasSubstr("quickmatchd 77 serves\n150.5 leases/s"));
  EXPECT_THAT(text, HasSubstr("hello     ready  15     16      0       0\n"));
  EXPECT_THAT(text, HasSubstr("ready  3        120 us  1.50 ms  1.50 ms\n"));
  EXPECT_THAT(text, HasSubstr("boot   0        -"));
  EXPECT_THAT(text, HasSubstr("vm-1  running  99   2.5 s  3.50 ms  1.5M"));
  EXPECT_THAT(text, Not(HasSubstr("LAST ERRORS")));
}

TEST(BoardText, ADaemonThatDiedOrIsStuckIsToldFirst) {
  board::Look dead = look();
  dead.liveness = board::Liveness::died;
  EXPECT_THAT(boardText(dead), testing::StartsWith("quickmatchd 77 DIED without an end, 12 s ago at most."));
  EXPECT_EQ(boardJson(dead).at("daemon").at("state"), "died");
  dead.liveness = board::Liveness::stuck;
  EXPECT_THAT(boardText(dead), testing::StartsWith("quickmatchd 77 has not said anything for 12 s: STUCK."));
}

TEST(BoardText, AnErrorsTextSteersNoTerminal) {
  board::Look failed = look();
  failed.board.errors = {{.wallMs = 1'700'000'000'123, .text = "clone: \x1b[2Jgone"}};
  EXPECT_THAT(boardText(failed), HasSubstr("2023-11-14 22:13:20Z  clone: .[2Jgone\n"));
}

TEST(BoardText, ForProgramsItIsJson) {
  const boost::json::object json = boardJson(look());
  EXPECT_EQ(json.at("leases").at("granted_per_s").to_number<double>(), 150.5);
  EXPECT_EQ(json.at("pools").at(0).at("template"), "hello");
  EXPECT_EQ(json.at("vms").at(0).at("instructions").to_number<int>(), 1'500'000);
}

TEST(Frame, IsCutToTheScreen) {
  EXPECT_EQ(frameOf("abcdef\nxy\nz\n", {.columns = 3, .rows = 2}), "\x1b[Habc\x1b[K\r\nxy\x1b[K\x1b[J");
  EXPECT_EQ(frameOf("äöü\n", {.columns = 2, .rows = 5}), "\x1b[Häö\x1b[K\x1b[J");
}

}  // namespace
}  // namespace qm::cli
