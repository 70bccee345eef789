#include "api/cli/top/board_text.h"

#include <chrono>
#include <string_view>
#include <vector>

#include <boost/json/array.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include "api/cli/cells.h"
#include "api/cli/table.h"

namespace qm::cli {

namespace {

namespace json = boost::json;

constexpr double kThousand = 1000;

double perSecond(std::uint64_t perKs) {
  return static_cast<double>(perKs) / kThousand;
}

std::string timeText(std::uint64_t us) {
  return duration(static_cast<std::int64_t>(us));
}

std::string wallText(std::uint64_t wallMs) {
  const std::chrono::sys_time<std::chrono::milliseconds> at{
      std::chrono::milliseconds(static_cast<std::int64_t>(wallMs))};
  return fmt::format("{:%F %T}Z", std::chrono::floor<std::chrono::seconds>(at));
}

// 12345678 as "12.3M".
std::string countText(std::uint64_t count) {
  constexpr std::uint64_t kPlain = 100'000, kMillion = 1'000'000, kBillion = 1'000'000'000;
  const auto number = static_cast<double>(count);
  if (count < kPlain) return std::to_string(count);
  if (count < kMillion) return fmt::format("{:.0f}k", number / 1e3);
  if (count < kBillion) return fmt::format("{:.1f}M", number / 1e6);
  return fmt::format("{:.1f}G", number / 1e9);
}

std::string daemonText(const board::Look& look) {
  const board::Board& board = look.board;
  const double seconds = std::chrono::duration<double>(look.sinceHeartbeat).count();
  const auto pid = board.writer.pid;
  switch (look.liveness) {
    case board::Liveness::serving:
      return fmt::format("quickmatchd {} serves\n", pid);
    case board::Liveness::stuck:
      return fmt::format("quickmatchd {} has not said anything for {:.0f} s: STUCK. What it said last:\n", pid,
                         seconds);
    case board::Liveness::died:
      return fmt::format("quickmatchd {} DIED without an end, {:.0f} s ago at most. What it said last:\n", pid,
                         seconds);
  }
  return {};
}

std::string loadText(const board::Board& board) {
  return fmt::format(
      "{:.1f} leases/s, {:.1f} clones made ahead/s, {:.1f} ended/s; {} granted, {} refused, {} missed, {} ended in "
      "all\n"
      "{} in line, {} being made, {} being cleared away, {} blanks, {} VMs\n",
      perSecond(board.grantedPerKs), perSecond(board.refilledPerKs), perSecond(board.endedPerKs), board.granted,
      board.refused, board.missed, board.ended, board.inLine, board.making, board.ending, board.blanks, board.vmsInAll);
}

std::vector<Row> poolRows(const board::Board& board) {
  std::vector<Row> rows{{"TEMPLATE", "STATE", "READY", "WANTED", "MAKING", "LEASED"}};
  for (const board::Pool& pool : board.pools) {
    rows.push_back({pool.name, pool.state, std::to_string(pool.ready), std::to_string(pool.wanted),
                    std::to_string(pool.making), std::to_string(pool.leased)});
  }
  return rows;
}

std::vector<Row> roadRows(const board::Board& board) {
  std::vector<Row> rows{{"ROAD", "GRANTED", "P50", "P99", "MOST"}};
  for (const board::Road& road : board.roads) {
    const bool isTaken = road.granted > 0;
    rows.push_back({road.name, std::to_string(road.granted), isTaken ? timeText(road.p50Us) : "-",
                    isTaken ? timeText(road.p99Us) : "-", isTaken ? timeText(road.mostUs) : "-"});
  }
  return rows;
}

std::vector<Row> errorRows(const board::Board& board) {
  std::vector<Row> rows{{"LAST ERRORS", ""}};
  for (const board::PastError& error : board.errors) rows.push_back({wallText(error.wallMs), error.text});
  return rows;
}

std::vector<Row> vmRows(const board::Board& board) {
  std::vector<Row> rows{{"VM", "STATE", "PID", "AGE", "CPU", "INSTRUCTIONS", "DECODED", "EXITS", "BEATS", "BUSY"}};
  for (const board::Vm& vm : board.vms) {
    rows.push_back({vm.id, vm.state, std::to_string(vm.pid),
                    fmt::format("{:.1f} s", static_cast<double>(vm.ageMs) / kThousand), timeText(vm.cpuUs),
                    countText(vm.instructions), countText(vm.decoded), countText(vm.exits), countText(vm.heartbeats),
                    vm.busyMs == 0 ? "-" : fmt::format("{} ms", vm.busyMs)});
  }
  return rows;
}

// Columns that a screen has room for; characters of UTF-8 count once.
std::string_view cutTo(std::string_view line, std::size_t columns) {
  std::size_t seen = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const bool begins = (static_cast<unsigned char>(line[i]) & 0xc0U) != 0x80U;
    if (begins && seen++ == columns) return line.substr(0, i);
  }
  return line;
}

json::object jsonOf(const board::Vm& vm) {
  return {{"id", vm.id},           {"state", vm.state},  {"pid", vm.pid},
          {"age_ms", vm.ageMs},    {"cpu_us", vm.cpuUs}, {"instructions", vm.instructions},
          {"decoded", vm.decoded}, {"exits", vm.exits},  {"heartbeats", vm.heartbeats},
          {"busy_ms", vm.busyMs}};
}

}  // namespace

boost::json::object boardJson(const board::Look& look) {
  const board::Board& board = look.board;
  json::array pools, roads, errors, vms;
  for (const board::Pool& pool : board.pools) {
    pools.push_back(json::object{{"template", pool.name},
                                 {"state", pool.state},
                                 {"ready", pool.ready},
                                 {"wanted", pool.wanted},
                                 {"making", pool.making},
                                 {"leased", pool.leased}});
  }
  for (const board::Road& road : board.roads) {
    roads.push_back(json::object{{"road", road.name},
                                 {"granted", road.granted},
                                 {"p50_us", road.p50Us},
                                 {"p99_us", road.p99Us},
                                 {"max_us", road.mostUs}});
  }
  for (const board::PastError& error : board.errors)
    errors.push_back(json::object{{"at", wallText(error.wallMs)}, {"error", error.text}});
  for (const board::Vm& vm : board.vms) vms.push_back(jsonOf(vm));
  return {{"daemon",
           {{"pid", board.writer.pid},
            {"state", board::name(look.liveness)},
            {"heartbeat_age_ms", look.sinceHeartbeat.count()}}},
          {"load",
           {{"in_line", board.inLine},
            {"making", board.making},
            {"ending", board.ending},
            {"blanks", board.blanks},
            {"vms", board.vmsInAll}}},
          {"leases",
           {{"granted", board.granted},
            {"refused", board.refused},
            {"missed", board.missed},
            {"ended", board.ended},
            {"granted_per_s", perSecond(board.grantedPerKs)},
            {"refilled_per_s", perSecond(board.refilledPerKs)},
            {"ended_per_s", perSecond(board.endedPerKs)}}},
          {"pools", std::move(pools)},
          {"roads", std::move(roads)},
          {"errors", std::move(errors)},
          {"vms", std::move(vms)}};
}

std::string boardText(const board::Look& look) {
  const board::Board& board = look.board;
  std::string text = daemonText(look) + loadText(board);
  text += "\n" + tableText(poolRows(board)) + "\n" + tableText(roadRows(board));
  if (!board.errors.empty()) text += "\n" + tableText(errorRows(board));
  return text + "\n" + tableText(vmRows(board));
}

std::string frameOf(const std::string& text, ScreenSize size) {
  std::string frame = "\x1b[H";
  std::string_view rest(text);
  for (std::size_t row = 0; row < size.rows && !rest.empty(); ++row) {
    const std::size_t end = rest.find('\n');
    if (row > 0) frame += "\r\n";
    frame += cutTo(rest.substr(0, end), size.columns);
    frame += "\x1b[K";
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  return frame + "\x1b[J";
}

}  // namespace qm::cli
