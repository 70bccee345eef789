#include "api/daemon/board/board_keeper.h"

#include <condition_variable>
#include <mutex>
#include <numeric>
#include <utility>

namespace qm {

namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::milliseconds;

std::uint64_t inMs(std::chrono::nanoseconds time) {
  return static_cast<std::uint64_t>(duration_cast<milliseconds>(time).count());
}

board::Pool lineOf(const pool::PoolView& view) {
  return {.name = view.templateName,
          .state = std::string(pool::name(view.status.state)),
          .wanted = view.wanted,
          .ready = view.ready,
          .making = view.making,
          .leased = view.leased};
}

board::Vm lineOf(const VmLine& vm) {
  board::Vm line{.id = vm.id,
                 .state = vm.cpu ? "refused" : "gone",
                 .pid = static_cast<std::uint64_t>(vm.pid),
                 .ageMs = inMs(vm.age)};
  if (vm.cpu) line.cpuUs = static_cast<std::uint64_t>(duration_cast<microseconds>(*vm.cpu).count());
  if (!vm.view) return line;
  const slot::View& view = *vm.view;
  line.state = slot::name(view.state);
  line.instructions = view.instructions;
  line.decoded = view.decoded;
  line.exits = std::reduce(view.exits.begin(), view.exits.end());
  line.heartbeats = view.heartbeats;
  if (view.busy) line.busyMs = inMs(*view.busy) + 1;
  return line;
}

}  // namespace

BoardKeeper::BoardKeeper(board::BoardWriter writer, Sources sources)
    : writer_(std::move(writer)), sources_(sources), thread_([this](const std::stop_token& stop) { keep(stop); }) {}

void BoardKeeper::keep(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  do {
    writer_.publish(now());
  } while (!stopped.wait_for(lock, stop, board::kPeriod, [] { return false; }) && !stop.stop_requested());
}

board::Board BoardKeeper::now() const {
  board::Board board;
  const pool::Load load = sources_.pool.load();
  board.blanks = sources_.pool.blanks();
  board.inLine = load.inLine;
  board.making = load.making;
  board.ending = load.ending;
  for (const pool::PoolView& view : sources_.pool.pools()) board.pools.push_back(lineOf(view));
  sources_.tally.write(board, std::chrono::steady_clock::now());
  board.vmsInAll = sources_.vms.count();
  for (const VmLine& vm : sources_.vms.lines(board::kMostVms)) board.vms.push_back(lineOf(vm));
  return board;
}

}  // namespace qm
