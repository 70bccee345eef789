// guest-bench: counts what a guest executes at each step of a clone's life, and prints a table.
#include <algorithm>
#include <cstdio>

#include <CLI/CLI.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

#include "bench/guest/scenario.h"
#include "bench/start/figures.h"
#include "bench/start/program.h"
#include "vmm/os/folder.h"

namespace {

using namespace qm;
using namespace qm::bench;

struct Command {
  std::filesystem::path vmm, kernel, initrd, folder, json;
  std::string bootArguments = kBootArguments;
  std::uint32_t rounds = 7;
  std::uint32_t restMs = 2000;
};

void describe(CLI::App& app, Command& command) {
  app.add_option("--vmm", command.vmm, "The program quickmatch-vmm")->required();
  app.add_option("--kernel", command.kernel, "The guest's vmlinux")->required();
  app.add_option("--initrd", command.initrd, "The image hello")->required();
  app.add_option("--folder", command.folder, "For sockets, snapshots and logs; in memory; made")->required();
  app.add_option("--boot-arguments", command.bootArguments, "The kernel's command line")->capture_default_str();
  app.add_option("--json", command.json, "Where the figures go, as one flat object");
  app.add_option("--runs", command.rounds, "Rounds of all steps; their medians count")->capture_default_str();
  app.add_option("--rest-ms", command.restMs, "How long the clone that rests does")->capture_default_str();
}

std::uint64_t median(std::vector<std::uint64_t> samples) {
  std::ranges::sort(samples);
  return samples[samples.size() / 2];
}

GuestWork medianOf(const std::vector<GuestWork>& samples) {
  const auto of = [&](std::uint64_t GuestWork::* field) {
    std::vector<std::uint64_t> values;
    for (const GuestWork& sample : samples) values.push_back(sample.*field);
    return median(std::move(values));
  };
  return {.instructions = of(&GuestWork::instructions),
          .decoded = of(&GuestWork::decoded),
          .ownPages = of(&GuestWork::ownPages)};
}

std::int64_t difference(std::uint64_t more, std::uint64_t less) {
  return static_cast<std::int64_t>(more) - static_cast<std::int64_t>(less);
}

Status measure(const Command& command) {
  TRY(makeFolder(command.folder));
  const ScenarioRunner runner{
      .vmm = command.vmm,
      .folder = command.folder,
      .vmmOptions = {"--hypervisor", "soft"},
      .saved = {.state = command.folder / "guest.state", .memory = command.folder / "guest.memory"},
      .rest = std::chrono::milliseconds(command.restMs)};
  TRY(runner.prepare({.kernel = command.kernel, .initrd = command.initrd, .arguments = command.bootArguments}));
  const std::vector<Scenario> all = scenarios();
  std::vector<std::vector<GuestWork>> samples(all.size());
  for (std::uint32_t round = 0; round < command.rounds; ++round) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      samples[i].push_back(
          TRY(runner.run(all[i], fmt::format("clone-{}-{}", round, i)).during(std::string(all[i].name))));
    }
  }
  boost::json::object flat;
  fmt::print("{:16} {:>12} {:>9} {:>6}   of this step: {:>12} {:>9} {:>6}\n", "up to", "instructions", "decoded",
             "pages", "instructions", "decoded", "pages");
  for (std::size_t i = 0; i < all.size(); ++i) {
    const GuestWork work = medianOf(samples[i]);
    const GuestWork before = i == 0 ? GuestWork{} : medianOf(samples[all[i].without]);
    const std::int64_t own = difference(work.instructions, before.instructions);
    fmt::print("{:16} {:12} {:9} {:6}   {:>27} {:9} {:6}\n", all[i].name, work.instructions, work.decoded,
               work.ownPages, own, difference(work.decoded, before.decoded),
               difference(work.ownPages, before.ownPages));
    std::string name(all[i].name);
    std::ranges::replace(name, ' ', '_');
    flat[name + "_instructions"] = own;
    flat[name + "_decoded"] = difference(work.decoded, before.decoded);
    flat[name + "_pages"] = difference(work.ownPages, before.ownPages);
  }
  return command.json.empty() ? Status() : writeFlat(flat, command.json);
}

}  // namespace

int main(int count, char** words) {
  return runProgram<Command>({"guest-bench", "Counts what a guest executes at each step of a clone's life."}, count,
                             words, describe, measure);
}
