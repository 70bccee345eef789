// cold-warm-bench: how long it takes from when somebody asks for a VM until its guest has answered, cold and warm, by
// quickmatchd and by QEMU, in one run.
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

#include "bench/cold_warm/comparison.h"
#include "bench/contender/qemu_contender.h"
#include "bench/contender/service_contender.h"
#include "bench/contender/tsc_rate.h"
#include "bench/load/service.h"
#include "bench/load/service_options.h"
#include "bench/load/svg_plot.h"
#include "bench/start/agent_reply.h"
#include "bench/start/program.h"
#include "vmm/os/folder.h"

namespace {

using namespace qm;
using namespace qm::bench;

// One clone is kept ready and one process waits: a way finds what it needs, and hardly anything runs beside it.
ServiceSettings oneOfEach() {
  return {.pool = 1, .blanks = 1U};
}

struct Command {
  ServiceSettings service = oneOfEach();
  Stamp stamp;
  std::filesystem::path qemu, json;
  std::uint32_t runs = 50;
};

void describe(CLI::App& app, Command& command) {
  describeService(app, command.service);
  app.add_option("--qemu", command.qemu, "QEMU for x86-64")->required();
  app.add_option("--runs", command.runs, "Of each way, after one that does not count")->capture_default_str();
  describeStamp(app, command.stamp);
  app.add_option("--json", command.json, "Where the figures go, as one flat object; FILE.svg beside it is the plot");
}

enum class How : std::uint8_t { boot, restore };

class Bench {
 public:
  // `command` and `service` outlive it.
  Bench(const Command& command, Service& service, Accelerator accelerator)
      : command_(command),
        spawn_(service, pool::Road::spawn, "spawn", ""),
        blank_(service, pool::Road::blank, "blank", ""),
        ready_(service, pool::Road::ready, "ready", ""),
        qemu_(QemuRestore::incoming, qemuSettings(accelerator)),
        qemuMapped_(QemuRestore::mapped, qemuSettings(accelerator)) {
    const char* const board = accelerator == Accelerator::kvm ? "QEMU microvm on KVM" : "QEMU microvm on TCG";
    add("boot", spawn_, How::boot, "POST /v1/leases, booted → reply by GET …/ping");
    add("spawn", spawn_, How::restore, "the same, restored into a process started for it");
    add("blank", blank_, How::restore, "the same, restored into a process that waited");
    add("ready", ready_, How::restore, "the same, a clone that was kept ready");
    add("qemu_boot", qemu_, How::boot, fmt::format("{}: process started → reply, booted", board));
    add("qemu_incoming", qemu_, How::restore, fmt::format("{}: the same, -incoming from a file", board));
    add("qemu_template", qemuMapped_, How::restore,
        fmt::format("{}: the same, its RAM mapped from a file (x-ignore-shared)", board));
  }

  // In each round everyone takes its turn, so that a slow spell of the host falls on all.
  Status measure() {
    TRY(qemu_.prepare(recipe()).during("saving a guest of QEMU"));
    TRY(qemuMapped_.prepare(recipe()).during("saving a guest of QEMU, its RAM in a file"));
    for (std::uint32_t round = 0; round <= command_.runs; ++round) {
      for (std::size_t i = 0; i < ways_.size(); ++i) {
        const Clock::duration took = TRY(start(starts_[i]).during(ways_[i].name));
        // The first round warms caches.
        if (round > 0) ways_[i].reply.add(std::chrono::duration<double, std::milli>(took).count());
      }
      fmt::print("round {} of {}\n", round, command_.runs);
      (void)std::fflush(stdout);
    }
    return {};
  }

  const std::vector<Way>& ways() const { return ways_; }

 private:
  struct Start {
    Contender* contender;
    How how;
  };

  QemuSettings qemuSettings(Accelerator accelerator) const {
    return {.program = command_.qemu,
            .folder = command_.service.folder,
            .accelerator = accelerator,
            .tscKhz = accelerator == Accelerator::tcg ? measureTscKhz() : 0};
  }
  Recipe recipe() const { return {.kernel = command_.service.kernel, .initrd = command_.service.initrd, .disk = {}}; }

  void add(const char* name, Contender& contender, How how, std::string meaning) {
    ways_.push_back({.name = name, .reply = Figure(Unit::milliseconds, std::move(meaning))});
    starts_.push_back({.contender = &contender, .how = how});
  }

  Result<Clock::duration> start(const Start& start) {
    // Whoever was before, our daemon must have made up for what it gave away.
    TRY(spawn_.settle());
    const Clock::time_point asked = Clock::now();
    const bool isBoot = start.how == How::boot;
    const auto guest = TRY(isBoot ? start.contender->boot(recipe()) : start.contender->restore());
    const Clock::time_point replied = TRY(guest->waitForReply(isBoot ? kBootPause : kRestorePause));
    TRY(guest->end());
    return replied - asked;
  }

  const Command& command_;
  ServiceContender spawn_, blank_, ready_;
  QemuContender qemu_, qemuMapped_;
  std::vector<Way> ways_;
  std::vector<Start> starts_;  // of each way
};

Status report(const Command& command, const std::vector<Way>& ways, boost::json::object flat) {
  const Pairs pairs =
      allPairs({"boot", "qemu_boot", "qemu_incoming", "qemu_template"}, {"boot", "spawn", "blank", "ready"});
  fmt::print("\n{}\n{}", table(ways), ratioTable(ways, pairs));
  if (command.json.empty()) return {};
  addFlat(ways, flat);
  addRatios(ways, pairs, flat);
  TRY(writeFlat(flat, command.json));
  return writeSvg(replyDistribution(ways), command.json.native() + ".svg");
}

Status measure(const Command& command) {
  TRY(makeFolder(command.service.folder));
  ServiceSettings settings = command.service;
  settings.folder /= "daemon";
  Service service = TRY(Service::start(settings));
  boost::json::object flat = TRY(introduce(service, settings, command.stamp));
  flat["runs"] = command.runs;
  const bool isKvm = flat.at("backend").as_string() == "kvm";
  Bench bench(command, service, isKvm ? Accelerator::kvm : Accelerator::tcg);
  Status measured = bench.measure();
  // What was measured before it failed is worth seeing.
  TRY(report(command, bench.ways(), std::move(flat)));
  return measured;
}

}  // namespace

int main(int count, char** words) {
  return runProgram<Command>({"cold-warm-bench", "Compares cold starts with warm ones, and with QEMU's."}, count, words,
                             describe, measure);
}
