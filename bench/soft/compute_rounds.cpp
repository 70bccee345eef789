#include "bench/soft/compute_rounds.h"

#include <cstdio>

#include <fmt/format.h>

namespace qm::bench {

namespace {

using Seconds = std::chrono::duration<double>;

Result<Answer> compute(MachineRunner& machine, const Computation& computation) {
  const Clock::time_point start = Clock::now();
  const std::string output = TRY(machine.run(computation));
  const Clock::duration passed = Clock::now() - start;
  Answer answer = TRY(parseAnswer(computation.name, output));
  if (answer.time <= passed) return answer;
  return Error(Remedy::giveUp, fmt::format("{} took {:.3f} s there while {:.3f} s passed here", computation.name,
                                           Seconds(answer.time).count(), Seconds(passed).count()));
}

Status computeEverywhere(const MachineRunners& machines, const Computation& computation, Figures& figures) {
  std::string check;
  for (const auto& machine : machines) {
    const Answer answer = TRY(compute(*machine, computation).during(machine->prefix() + computation.name));
    if (check.empty()) check = answer.check;
    if (answer.check != check)
      return Error(Remedy::giveUp, fmt::format("{}{} answers {}, the first machine {}", machine->prefix(),
                                               computation.name, answer.check, check));
    figures.add(machine->prefix() + computation.name, answer.time);
  }
  return {};
}

}  // namespace

void declareComputations(const MachineRunners& machines, const std::vector<Computation>& computations,
                         Figures& figures) {
  for (const Computation& computation : computations) {
    for (const auto& machine : machines)
      figures.declare(machine->prefix() + computation.name, Unit::milliseconds,
                      "by the clock of the machine that computes");
  }
}

Status measureComputations(const MachineRunners& machines, const std::vector<Computation>& computations,
                           std::uint32_t rounds, Figures& figures) {
  for (std::uint32_t number = 1; number <= rounds; ++number) {
    for (const Computation& computation : computations) TRY(computeEverywhere(machines, computation, figures));
    fmt::print("computations: round {} of {}\n", number, rounds);
    (void)std::fflush(stdout);
  }
  return {};
}

Status checkClock(MachineRunner& machine) {
  const std::vector<std::string> sleep{"/bin/sleep", "1"};
  // A busy host makes a second longer now and then, a clock of the wrong rate always.
  constexpr int kTries = 5;
  double passed = 0;
  for (int i = 0; i < kTries; ++i) {
    const Clock::time_point start = Clock::now();
    TRY(machine.run({.name = "sleep 1", .inGuest = sleep, .onHost = sleep}));
    passed = Seconds(Clock::now() - start).count();
    if (passed > 0.98 && passed < 1.25) return {};
  }
  return Error(Remedy::giveUp, fmt::format("{}: a second there lasts {:.3f} s here", machine.prefix(), passed));
}

}  // namespace qm::bench
