// differ: runs random instructions on the host's CPU and on a hypervisor's, and prints where they differ.
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "tests/differ/coverage.h"
#include "tests/differ/differ.h"
#include "tests/differ/guest_machine.h"
#include "tests/differ/harness.h"
#include "tests/differ/native_machine.h"
#include "tests/differ/report.h"
#include "tests/differ/soft_decoder.h"
#include "vmm/hypervisor/kvm/kvm_hypervisor.h"
#include "vmm/hypervisor/soft/soft_hypervisor.h"

namespace qm::differ {

namespace {

struct Options {
  std::vector<std::string> families;
  std::uint64_t cases = 10'000;
  std::uint64_t seed = 1;
  std::string replay;
  std::string on = "soft";
  std::string coverage;
  std::uint64_t shown = 3;  // reports of a family
};

std::vector<Family> chosenFamilies(const Options& options) {
  std::vector<Family> chosen;
  for (const std::string& name : options.families) chosen.push_back(*familyNamed(name));
  for (std::size_t i = 0; options.families.empty() && i < kFamilies; ++i) chosen.push_back(static_cast<Family>(i));
  return chosen;
}

// What is tested. The native machine is there for the differ's own sake: against itself it must agree.
struct Tested {
  std::unique_ptr<Hypervisor> hypervisor;
  std::unique_ptr<Machine> guest;
};

Result<Tested> openTested(const std::string& name, const Generator& generator) {
  Tested tested;
  if (name == "native") return tested;
  tested.hypervisor = name == "kvm" ? TRY(openKvm()) : TRY(openSoft());
  tested.guest = TRY(openGuest(*tested.hypervisor, generator));
  return tested;
}

// Failures that look alike: of one instruction, in the same rows.
class Summary {
 public:
  void add(const Case& subject, const Ending& expected, const Ending& got) {
    const std::string_view mnemonic = subject.program.empty()
                                          ? ZydisMnemonicGetString(subject.instruction.info.mnemonic)
                                          : nameOf(subject.seed.family);
    Group& group = groups_[fmt::format("{:<16} {}", mnemonic, differingRows(subject, expected, got))];
    if (group.count++ == 0) group.first = textOf(subject.seed);
  }
  void print() const {
    if (!groups_.empty())
      fmt::print("\n{:>8} {:<16} {:<40} {}\n", "failures", "instruction", "differs in", "for example");
    for (const auto& [name, group] : groups_) fmt::print("{:>8} {:<57} {}\n", group.count, name, group.first);
  }

 private:
  struct Group {
    std::uint64_t count = 0;
    std::string first;
  };
  std::map<std::string, Group> groups_;
};

Result<int> replay(Differ& differ, const Codec& codec, const std::string& text, std::string_view on) {
  const std::optional<CaseSeed> seed = parseCaseSeed(text);
  if (!seed) return Error(Remedy::fixInput, "a seed is FAMILY:HEX, as a report names it");
  const Tally tally = TRY(differ.replay(*seed, [&](const Case& subject, const Ending& expected, const Ending& got) {
    fmt::print("{}", describe(subject, codec, "native", expected, on, got));
  }));
  fmt::print("{}\n", tally.failures == 0 ? "no difference" : "");
  return tally.failures == 0 ? 0 : 1;
}

Status writeCoverage(const Options& options, const Inventory& inventory, const Differ& differ) {
  const std::string how = fmt::format("Run: {} cases of each family, seed {}.", options.cases, options.seed);
  const std::string page = coveragePage(coverageOf(inventory, modelledBySoft(), differ.byInstruction()), how);
  std::ofstream file(options.coverage);
  file << page;
  file.close();
  if (!file) return Error(Remedy::fixInput, "cannot write " + options.coverage);
  return {};
}

Result<int> runDiffer(const Options& options) {
  const Generator generator;
  const std::unique_ptr<Machine> native = TRY(openNative(generator));
  const Tested tested = TRY(openTested(options.on, generator));
  Differ differ(generator, *native, tested.guest ? *tested.guest : *native);
  if (!options.replay.empty()) return replay(differ, generator.codec(), options.replay, options.on);
  Summary summary;
  Tally total;
  std::string table = fmt::format("\n{:<20} {:>10} {:>10} {:>10}\n", "family", "cases", "failures", "exceptions");
  for (const Family family : chosenFamilies(options)) {
    if (isOfAvx(family) && !hostHasAvx()) continue;
    std::uint64_t shown = 0;
    const Tally tally = TRY(differ.run(
        family, options.seed, options.cases, [&](const Case& subject, const Ending& expected, const Ending& got) {
          summary.add(subject, expected, got);
          if (shown++ >= options.shown) return;
          fmt::print("{}\n", describe(subject, generator.codec(), "native", expected, options.on, got));
        }));
    table +=
        fmt::format("{:<20} {:>10} {:>10} {:>10}\n", nameOf(family), tally.cases, tally.failures, tally.exceptions);
    total += tally;
  }
  summary.print();
  if (!options.coverage.empty()) TRY(writeCoverage(options, generator.inventory(), differ));
  fmt::print("{}{:<20} {:>10} {:>10} {:>10}\n", table, "all", total.cases, total.failures, total.exceptions);
  return total.failures == 0 ? 0 : 1;
}

}  // namespace

}  // namespace qm::differ

int main(int argc, char** argv) {
  using namespace qm::differ;
  CLI::App app("Runs random instructions on the host's CPU and on a hypervisor's, and prints where they differ.");
  Options options;
  app.add_option("--family", options.families, "A family, or several; all without")->check([](const std::string& name) {
    return familyNamed(name) ? std::string() : "no family " + name;
  });
  app.add_option("--cases", options.cases, "Cases of each family")->capture_default_str();
  app.add_option("--seed", options.seed, "Another seed, other cases")->capture_default_str();
  app.add_option("--replay", options.replay, "One case, by the seed that a report names");
  app.add_option("--on", options.on, "What is tested: soft, kvm, native")
      ->check(CLI::IsMember({"soft", "kvm", "native"}))
      ->capture_default_str();
  app.add_option("--coverage", options.coverage, "Writes what is modelled and tested to this file, as Markdown");
  app.add_option("--shown", options.shown, "Reports of each family at most")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  const auto outcome = runDiffer(options);
  if (outcome.has_value()) return *outcome;
  fmt::print(stderr, "differ: {}\n", outcome.error().text());
  return 2;
}
