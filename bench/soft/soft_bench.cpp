// soft-bench: measures a CPU in software against QEMU's, on this host, and prints tables.
#include <algorithm>
#include <cstdio>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "bench/contender/our_contender.h"
#include "bench/contender/qemu_contender.h"
#include "bench/contender/service_contender.h"
#include "bench/contender/tsc_rate.h"
#include "bench/load/service.h"
#include "bench/load/service_options.h"
#include "bench/soft/compute_rounds.h"
#include "bench/soft/cpu_time.h"
#include "bench/soft/start_rounds.h"
#include "bench/soft/summary.h"
#include "bench/start/agent_reply.h"
#include "bench/start/program.h"
#include "vmm/os/folder.h"

namespace {

using namespace qm;
using namespace qm::bench;

// No clone or process is kept ready: no other VM lives while one is measured.
ServiceSettings serviceOnSoft() {
  return {.hypervisor = "soft", .pool = 0, .blanks = 0U};
}

struct Command {
  ServiceSettings service = serviceOnSoft();
  std::filesystem::path qemu, disk, compute, pythonScript, json;
  std::vector<std::string> vmmOptions;
  std::vector<std::string> only{"ours", "alone", "qemu", "qemu-template", "native"};
  std::uint32_t startRounds = 20;
  std::uint32_t computeRounds = 5;
  std::uint32_t idleSeconds = 20;

  bool has(const char* machine) const { return std::ranges::find(only, machine) != only.end(); }
};

void describe(CLI::App& app, Command& command) {
  describeService(app, command.service);
  app.add_option("--vmm-option", command.vmmOptions, "What our VMM alone is told besides")->allow_extra_args(false);
  app.add_option("--qemu", command.qemu, "QEMU for x86-64")->required();
  app.add_option("--disk", command.disk, "The image python; without it there is no figure of Python");
  app.add_option("--compute", command.compute, "The program compute")->required();
  app.add_option("--python-script", command.pythonScript, "What Python computes")->required();
  app.add_option("--json", command.json, "Where the figures go, as one flat object");
  app.add_option("--only", command.only, "Which machines: ours, alone, qemu, qemu-template, native")->delimiter(',');
  app.add_option("--runs", command.startRounds, "Rounds of starts; two restores in each")->capture_default_str();
  app.add_option("--compute-runs", command.computeRounds, "Rounds of computations; 0: none")->capture_default_str();
  app.add_option("--idle-seconds", command.idleSeconds, "For how long idle clones are watched")->capture_default_str();
}

class Bench {
 public:
  explicit Bench(const Command& command) : command_(command), tscKhz_(measureTscKhz()) {}

  Status measure() {
    TRY(makeFolder(folder()));
    TRY(starts());
    if (command_.computeRounds == 0) return {};
    const std::filesystem::path program = std::filesystem::absolute(command_.compute);
    TRY(computations(hello(), compiledComputations(program)).during("computing"));
    if (command_.disk.empty()) return {};
    const std::vector<std::byte> script = TRY(readWholeFile(command_.pythonScript, 65'536));
    const std::string text(reinterpret_cast<const char*>(script.data()), script.size());
    constexpr std::uint32_t kPythonMib = 256;
    Recipe python = hello();
    python.disk = command_.disk;
    python.memoryMib = kPythonMib;
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
  const std::filesystem::path& folder() const { return command_.service.folder; }
  Recipe hello() const { return {.kernel = command_.service.kernel, .initrd = command_.service.initrd, .disk = {}}; }

  std::unique_ptr<Contender> alone(std::string prefix) const {
    std::vector<std::string> options{"--hypervisor=" + command_.service.hypervisor};
    options.insert(options.end(), command_.vmmOptions.begin(), command_.vmmOptions.end());
    return std::make_unique<OurContender>(std::move(prefix), command_.service.programs / "quickmatch-vmm", folder(),
                                          std::move(options));
  }
  std::unique_ptr<Contender> qemu(QemuRestore how) const {
    const QemuSettings settings{.program = command_.qemu, .folder = folder(), .tscKhz = tscKhz_};
    return std::make_unique<QemuContender>(how, settings);
  }

  Status starts() {
    std::optional<Service> service;
    Contenders all;
    if (command_.has("ours")) {
      ServiceSettings settings = command_.service;
      settings.folder /= "daemon";
      service.emplace(TRY(Service::start(settings).during("starting quickmatchd")));
      all.push_back(std::make_unique<ServiceContender>(*service, pool::Road::spawn, "", "ours"));
    }
    if (command_.has("alone")) all.push_back(alone("alone_"));
    if (command_.has("qemu")) all.push_back(qemu(QemuRestore::incoming));
    if (command_.has("qemu-template")) all.push_back(qemu(QemuRestore::mapped));
    declareStarts(all, figures_);
    TRY(measureStarts(all, hello(), command_.startRounds, figures_));
    return measureIdleClones(all, std::chrono::seconds(command_.idleSeconds), figures_).during("watching idle clones");
  }

  // The host, and one guest of every VMM, all alive at once and idle but for the one that computes. Ours is in a VMM
  // that we started, which says what it executed: the CPU in it is the one that the daemon's have.
  Status computations(const Recipe& recipe, const std::vector<Computation>& works) {
    MachineRunners machines;
    std::vector<Guest*> guests;
    if (command_.has("native")) machines.push_back(std::make_unique<HostRunner>());
    std::vector<std::unique_ptr<Contender>> contenders;
    if (command_.has("ours") || command_.has("alone")) contenders.push_back(alone(""));
    // With RAM mapped from a file QEMU computes no otherwise.
    if (command_.has("qemu")) contenders.push_back(qemu(QemuRestore::incoming));
    for (const auto& contender : contenders) {
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
    const pid_t pid = TRY(guest.pid());
    const std::chrono::nanoseconds cpuTime = TRY(cpuTimeOf(pid));
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
  Status measured = bench.measure();
  // What was measured before it failed is worth seeing.
  TRY(bench.report());
  return measured;
}

}  // namespace

int main(int count, char** words) {
  return runProgram<Command>({"soft-bench", "Measures a CPU in software against QEMU's."}, count, words, describe,
                             measure);
}
