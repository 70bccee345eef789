#include "api/board/board_fields.h"

#include <algorithm>
#include <string>
#include <string_view>

namespace qm::board {

namespace {

template <std::size_t Bytes>
void storeText(std::string_view from, Text<Bytes>& to) {
  to.fill('\0');
  std::ranges::copy(from.substr(0, Bytes), to.begin());
}

template <std::size_t Bytes>
std::string loadText(const Text<Bytes>& from) {
  const std::string_view text(from.data(), from.size());
  return std::string(text.substr(0, text.find('\0')));
}

void store(const Pool& from, PoolFields& to) {
  storeText(from.name, to.name);
  storeText(from.state, to.state);
  to.wanted = from.wanted;
  to.ready = from.ready;
  to.making = from.making;
  to.leased = from.leased;
}

Pool load(const PoolFields& from) {
  return {.name = loadText(from.name),
          .state = loadText(from.state),
          .wanted = from.wanted,
          .ready = from.ready,
          .making = from.making,
          .leased = from.leased};
}

void store(const Road& from, RoadFields& to) {
  storeText(from.name, to.name);
  to.granted = from.granted;
  to.p50Us = from.p50Us;
  to.p99Us = from.p99Us;
  to.mostUs = from.mostUs;
}

Road load(const RoadFields& from) {
  return {.name = loadText(from.name),
          .granted = from.granted,
          .p50Us = from.p50Us,
          .p99Us = from.p99Us,
          .mostUs = from.mostUs};
}

void store(const PastError& from, ErrorFields& to) {
  to.wallMs = from.wallMs;
  storeText(from.text, to.text);
}

PastError load(const ErrorFields& from) {
  return {.wallMs = from.wallMs, .text = loadText(from.text)};
}

void store(const Vm& from, VmFields& to) {
  storeText(from.id, to.id);
  storeText(from.state, to.state);
  to.pid = from.pid;
  to.ageMs = from.ageMs;
  to.cpuUs = from.cpuUs;
  to.instructions = from.instructions;
  to.decoded = from.decoded;
  to.exits = from.exits;
  to.heartbeats = from.heartbeats;
  to.busyMs = from.busyMs;
}

Vm load(const VmFields& from) {
  return {.id = loadText(from.id),
          .state = loadText(from.state),
          .pid = from.pid,
          .ageMs = from.ageMs,
          .cpuUs = from.cpuUs,
          .instructions = from.instructions,
          .decoded = from.decoded,
          .exits = from.exits,
          .heartbeats = from.heartbeats,
          .busyMs = from.busyMs};
}

// As many as there are places for.
template <class From, class To, std::size_t Places>
std::uint64_t storeAll(const std::vector<From>& from, std::array<To, Places>& to) {
  const std::size_t count = std::min(from.size(), Places);
  for (std::size_t i = 0; i < count; ++i) store(from[i], to[i]);
  return count;
}

template <class To, class From, std::size_t Places>
std::vector<To> loadAll(const std::array<From, Places>& from, std::uint64_t count) {
  std::vector<To> all;
  for (std::size_t i = 0; i < std::min<std::uint64_t>(count, Places); ++i) all.push_back(load(from[i]));
  return all;
}

struct Number {
  std::uint64_t Board::* value;
  std::uint64_t Contents::* field;
};
constexpr Number kNumbers[]{{&Board::blanks, &Contents::blanks},
                            {&Board::inLine, &Contents::inLine},
                            {&Board::making, &Contents::making},
                            {&Board::ending, &Contents::ending},
                            {&Board::granted, &Contents::granted},
                            {&Board::refused, &Contents::refused},
                            {&Board::missed, &Contents::missed},
                            {&Board::ended, &Contents::ended},
                            {&Board::grantedPerKs, &Contents::grantedPerKs},
                            {&Board::refilledPerKs, &Contents::refilledPerKs},
                            {&Board::endedPerKs, &Contents::endedPerKs},
                            {&Board::vmsInAll, &Contents::vmsInAll}};

}  // namespace

void store(const Board& board, Contents& contents) {
  contents.pid = board.writer.pid;
  contents.startTicks = board.writer.startTicks;
  for (const Number& number : kNumbers) contents.*number.field = board.*number.value;
  contents.pools = storeAll(board.pools, contents.pool);
  contents.roads = storeAll(board.roads, contents.road);
  contents.errors = storeAll(board.errors, contents.error);
  contents.vms = storeAll(board.vms, contents.vm);
}

Board load(const Contents& contents) {
  Board board{.writer = {.pid = contents.pid, .startTicks = contents.startTicks}};
  for (const Number& number : kNumbers) board.*number.value = contents.*number.field;
  board.pools = loadAll<Pool>(contents.pool, contents.pools);
  board.roads = loadAll<Road>(contents.road, contents.roads);
  board.errors = loadAll<PastError>(contents.error, contents.errors);
  board.vms = loadAll<Vm>(contents.vm, contents.vms);
  return board;
}

}  // namespace qm::board
