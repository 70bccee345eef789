// start-bench: measures how fast guests answer, on this host's KVM, and prints a table.
#include <cstdio>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "bench/start/daemon_bench.h"
#include "bench/start/program.h"
#include "bench/start/rounds.h"
#include "vmm/os/folder.h"

namespace {

using namespace qm;
using namespace qm::bench;

struct Command {
  Places places;
  std::filesystem::path json;
  std::uint32_t runs = 20;
};

void describe(CLI::App& app, Command& command) {
  Places& places = command.places;
  app.add_option("--floor", places.floor, "The program start-floor")->required();
  app.add_option("--vmm", places.vmm, "The program quickmatch-vmm")->required();
  app.add_option("--daemon", places.daemon, "The program quickmatchd")->required();
  app.add_option("--spawner", places.spawner, "The program quickmatch-spawner")->required();
  app.add_option("--qemu", places.qemu, "QEMU for x86-64")->required();
  app.add_option("--kernel", places.kernel, "The guest's vmlinux")->required();
  app.add_option("--initrd", places.initrd, "The guest's initramfs, with the agent")->required();
  app.add_option("--folder", places.folder, "For sockets, snapshots and logs; a tmpfs; made")->required();
  app.add_option("--json", command.json, "Where the figures go, as one flat object");
  app.add_option("--runs", command.runs, "How many of each")->capture_default_str();
}

// What issue and design ask for, as figures of this very run.
void printRatios(const Figures& figures) {
  const auto p50 = [&](const char* name) { return figures.of(name).percentile(50); };
  const double restore = p50("restore_reply");
  if (restore <= 0) return;
  fmt::print(
      "restore → reply is {:.2f} × the floor (at most 3), 1/{:.1f} of QEMU's -incoming (at most 1/5), 1/{:.1f} of "
      "our cold boot (at most 1/10)\n",
      restore / p50("floor"), p50("qemu_restore_reply") / restore, p50("cold_boot_reply") / restore);
}

Status measure(const Command& command) {
  TRY(makeFolder(command.places.folder));
  Figures figures;
  declareFigures(figures);
  Status done = measureRounds(command.places, command.runs, figures);
  if (done.has_value()) done = measureWarmHits(command.places, 2 * command.runs, figures).during("measuring warm hits");
  fmt::print("\n{}\n", figures.table());
  printRatios(figures);
  if (!command.json.empty()) {
    boost::json::object flat = figures.flat();
    flat["runs"] = command.runs;
    if (figures.of("vmm_overhead").count() > 0) flat["vmm_overhead_kib"] = figures.of("vmm_overhead").percentile(50);
    TRY(writeFlat(flat, command.json));
  }
  return done;
}

}  // namespace

int main(int count, char** words) {
  return runProgram<Command>({"start-bench", "Measures how fast guests answer."}, count, words, describe, measure);
}
