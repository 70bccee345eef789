// soft-bench: measures a CPU in software against QEMU's, on this host, and prints tables.
#include <algorithm>
#include <cstdio>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "bench/soft/compute_rounds.h"
#include "bench/soft/cpu_time.h"
#include "bench/soft/our_contender.h"
#include "bench/soft/qemu_contender.h"
#include "bench/soft/start_rounds.h"
#include "bench/soft/summary.h"
#include "bench/soft/tsc_rate.h"
#include "vmm/os/folder.h"

namespace {

using namespace qm;
using namespace qm::bench;

struct Command {
  std::filesystem::path vmm, qemu, kernel, initrd, disk, compute, pythonScript, folder, json;
  std::vector<std::string> vmmOptions;
  std::vector<std::string> only{"ours", "qemu", "qemu-template", "native"};
  std::uint32_t startRounds = 20;
  std::uint32_t computeRounds = 5;
  std::uint32_t idleSeconds = 20;

  bool has(const char* machine) const { return std::ranges::find(only, machine) != only.end(); }
};

void describe(CLI::App& app, Command& command) {
  app.add_option("--vmm", command.vmm, "The program quickmatch-vmm")->required();
  app.add_option("--vmm-option", command.vmmOptions, "What it is told besides")->allow_extra_args(false);
  app.add_option("--qemu", command.qemu, "QEMU for x86-64")->required();
  app.add_option("--kernel", command.kernel, "The guest's vmlinux")->required();
  app.add_option("--initrd", command.initrd, "The image bench")->required();
  app.add_option("--disk", command.disk, "The image python; without it there is no figure of Python");
  app.add_option("--compute", command.compute, "The program compute")->required();
  app.add_option("--python-script", command.pythonScript, "What Python computes")->required();
  app.add_option("--folder", command.folder, "For sockets, snapshots and logs; in memory; made")->required();
  app.add_option("--json", command.json, "Where the figures go, as one flat object");
  app.add_option("--only", command.only, "Which machines: ours, qemu, qemu-template, native")->delimiter(',');
  app.add_option("--runs", command.startRounds, "Rounds of starts; two restores in each")->capture_default_str();
  app.add_option("--compute-runs", command.computeRounds, "Rounds of computations")->capture_default_str();
  app.add_option("--idle-seconds", command.idleSeconds, "For how long idle clones are watched")->capture_default_str();
}

class Bench {
 public:
  explicit Bench(const Command& command) : command_(command), tscKhz_(measureTscKhz()) {}

  Status measure() {
    TRY(makeFolder(command_.folder));
    TRY(starts());
    const Recipe hello{.kernel = command_.kernel, .initrd = command_.initrd, .disk = {}};
    TRY(computations(hello, compiledComputations(std::filesystem::absolute(command_.compute))).during("computing"));
    if (command_.disk.empty()) return {};
    const std::vector<std::byte> script = TRY(readWholeFile(command_.pythonScript, 65'536));
    const std::string text(reinterpret_cast<const char*>(script.data()), script.size());
    constexpr std::uint32_t kPythonMib = 256;
    const Recipe python{
        .kernel = command_.kernel, .initrd = command_.initrd, .disk = command_.disk, .memoryMib = kPythonMib};
    return computations(python, {pythonComputation(text)}).during("computing in Python");
  }

  Status report() const {
    std::optional<double> mips;
    if (cpuTime_.count() > 0) mips = static_cast<double>(instructions_) / static_cast<double>(cpuTime_.count()) * 1000;
    const Summary summary = summarise(figures_, std::chrono::seconds(command_.idleSeconds), mips);
    fmt::print("\n{}\n{}", figures_.table(), summary.text);
    return command_.json.empty() ? Status() : writeFlat(summary.flat, command_.json);
  }

 private:
  Contenders contenders() const {
    Contenders all;
    if (command_.has("ours"))
      all.push_back(std::make_unique<OurContender>(command_.vmm, command_.folder, command_.vmmOptions));
    const auto addQemu = [&](QemuRestore how) {
      all.push_back(std::make_unique<QemuContender>(how, command_.qemu, command_.folder, tscKhz_));
    };
    if (command_.has("qemu")) addQemu(QemuRestore::incoming);
    if (command_.has("qemu-template")) addQemu(QemuRestore::mapped);
    return all;
  }

  Status starts() {
    const Contenders all = contenders();
    const Recipe hello{.kernel = command_.kernel, .initrd = command_.initrd, .disk = {}};
    declareStarts(all, figures_);
    TRY(measureStarts(all, hello, command_.startRounds, figures_));
    return measureIdleClones(all, std::chrono::seconds(command_.idleSeconds), figures_).during("watching idle clones");
  }

  // The host, and one guest of every VMM, all alive at once and idle but for the one that computes.
  Status computations(const Recipe& recipe, const std::vector<Computation>& works) {
    MachineRunners machines;
    std::vector<Guest*> guests;
    if (command_.has("native")) machines.push_back(std::make_unique<HostRunner>());
    for (const auto& contender : contenders()) {
      if (contender->prefix() == "qemu_template_") continue;  // computes as the other QEMU does
      std::unique_ptr<Guest> guest = TRY(contender->boot(recipe));
      TRY(guest->waitForReply(kBootPause));
      guests.push_back(guest.get());
      machines.push_back(std::make_unique<GuestRunner>(contender->prefix(), std::move(guest)));
      TRY(checkClock(*machines.back()));
    }
    declareComputations(machines, works, figures_);
    TRY(measureComputations(machines, works, command_.computeRounds, figures_));
    for (Guest* guest : guests) TRY(count(*guest));
    return {};
  }

  // What the guest has executed, from its boot on, and in which CPU time.
  Status count(Guest& guest) {
    const std::chrono::nanoseconds cpuTime = TRY(cpuTimeOf(guest.pid()));
    const std::optional<std::uint64_t> instructions = TRY(guest.end());
    if (!instructions) return {};
    instructions_ += *instructions;
    cpuTime_ += cpuTime;
    return {};
  }

  const Command& command_;
  std::uint64_t tscKhz_;
  Figures figures_;
  std::uint64_t instructions_ = 0;
  std::chrono::nanoseconds cpuTime_{};
};

Status measure(const Command& command) {
  Bench bench(command);
  const Status measured = bench.measure();
  // What was measured before it failed is worth seeing.
  TRY(bench.report());
  return measured;
}

}  // namespace

int main(int count, char** words) {
  CLI::App app("Measures a CPU in software against QEMU's.", "soft-bench");
  Command command;
  describe(app, command);
  CLI11_PARSE(app, count, words);
  const Status done = measure(command);
  if (done.has_value()) return 0;
  fmt::print(stderr, "soft-bench: {}\n", done.error().text());
  return 1;
}
